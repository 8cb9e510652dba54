// Runs inside the page, as text: no imports, nothing from outside.
export function audit() {
  const found = [];
  const visible = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const described = (element) =>
    `<${element.tagName.toLowerCase()} class="${element.className}"> ${element.textContent.slice(0, 40)}`;

  const nameOf = (element) => {
    const by = element.getAttribute("aria-labelledby");
    const label = element.labels?.[0]?.textContent;
    return (
      element.getAttribute("aria-label") ??
      (by ? document.getElementById(by)?.textContent : undefined) ??
      label ??
      element.textContent
    ).trim();
  };
  for (const element of document.querySelectorAll("button, a[href], input, select, textarea, dialog, [role=img]")) {
    if (visible(element) && nameOf(element) === "") found.push(`no name: ${described(element)}`);
  }
  for (const element of document.querySelectorAll("img")) {
    if (!element.hasAttribute("alt")) found.push(`no alternative text: ${described(element)}`);
  }

  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) found.push(`id ${id} twice`);
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title) found.push("no title");
  if (document.querySelectorAll("main").length !== 1) found.push("not one main");
  for (const element of document.querySelectorAll("[tabindex]")) {
    if (element.tabIndex > 0) found.push(`tab order forced: ${described(element)}`);
  }

  const channels = (color) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const groundOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (
      node.textContent.trim() === "" ||
      !element ||
      !visible(element) ||
      element.closest(":disabled, script, noscript")
    )
      continue;
    const style = getComputedStyle(element);
    const large =
      Number.parseFloat(style.fontSize) >= 24 ||
      (Number.parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = contrast(channels(style.color), groundOf(element));
    if (ratio < (large ? 3 : 4.5)) found.push(`contrast ${ratio.toFixed(2)}: ${described(element)}`);
  }
  for (const leg of document.querySelectorAll(".bar i:not([data-empty])")) {
    const ratio = contrast(channels(getComputedStyle(leg).backgroundColor), groundOf(leg.closest(".card")));
    if (ratio < 3) found.push(`contrast of a leg ${ratio.toFixed(2)}: ${leg.dataset.leg}`);
  }
  for (const element of document.querySelectorAll("*")) {
    const cut = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
    if (cut && getComputedStyle(element).overflowX === "auto") found.push(`cut off at its side: ${described(element)}`);
  }
  for (const element of document.querySelectorAll("button, a[href], input, select, textarea")) {
    const { left, right } = element.getBoundingClientRect();
    const outside = left < -1 || right > document.documentElement.clientWidth + 1;
    if (outside && visible(element)) found.push(`reaches out of the page: ${described(element)}`);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) found.push("scrolls sideways");
  return found;
}
