/** What the demonstration model was made to know; fixed questions where the repository holds no list. */
const found = import.meta.glob<readonly (string | { readonly question: string })[]>(
  "../../../demo-model/suggested-questions.json",
  {
    eager: true,
    import: "default",
  },
);

const FIXED = ["How is a fee split?", "What does a validator stake?", "What comes back after a timeout?"];

const listed = Object.values(found)[0]?.map((entry) => (typeof entry === "string" ? entry : entry.question));

export const SUGGESTIONS: readonly string[] = (listed && listed.length >= 3 ? listed : FIXED).slice(0, 3);
