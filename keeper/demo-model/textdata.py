"""Reads the question files under data/, expands their patterns and varies questions the way people do."""
import itertools
import os
import random
import re

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data")

# ---------------------------------------------------------------------------------------------------- reading


class Fact:
    """One answer, the patterns that train it and the development questions of trial runs."""

    def __init__(self, name):
        self.name, self.answer, self.patterns, self.dev = name, None, [], []


def read_facts(name):
    """facts.txt and operator.txt: blocks that start with [name]."""
    facts = []
    for line in _lines(name):
        if line.startswith("["):
            facts.append(Fact(line.strip("[]")))
        elif line.startswith("answer: "):
            facts[-1].answer = line[8:]
        elif line.startswith("dev: "):
            facts[-1].dev.append(line[5:])
        else:
            facts[-1].patterns.append(line)
    return facts


def read_out_of_scope(name="out-of-scope.txt"):
    """One fact whose patterns may refer to named lists."""
    fact, lists = Fact("out-of-scope"), {}
    for line in _lines(name):
        if line.startswith("@"):
            key, values = line[1:].split(" = ")
            lists[key] = values
        elif line.startswith("answer: "):
            fact.answer = line[8:]
        elif line.startswith("dev: "):
            fact.dev.append(line[5:])
        else:
            fact.patterns.append(re.sub(r"\{@(\w+)\}", lambda m: "{" + lists[m.group(1)] + "}", line))
    return fact


def read_list(key, name="out-of-scope.txt"):
    return next(line.split(" = ")[1].split("|") for line in _lines(name) if line.startswith("@" + key + " = "))


def read_held_out(name="held-out.txt"):
    held, current = {}, None
    for line in _lines(name):
        if line.startswith("["):
            current = held.setdefault(line.strip("[]"), [])
        else:
            current.append(line)
    return held


def _lines(name):
    with open(os.path.join(DATA, name), encoding="utf-8") as f:
        return [s for s in (line.strip() for line in f) if s and not s.startswith("# ")]


# --------------------------------------------------------------------------------------------------- patterns


class Pattern:
    """Text with {a|b} alternatives, which may nest."""

    def __init__(self, text):
        self.parts, end = self._parse(text, 0, top=True)
        assert end == len(text), "unbalanced braces: " + text

    @classmethod
    def _parse(cls, s, i, top=False):
        parts, buf = [], ""
        while i < len(s) and (top or s[i] not in "|}"):
            if s[i] == "{":
                options, i = [], i + 1
                while True:
                    option, i = cls._parse(s, i)
                    options.append(option)
                    i += 1
                    if s[i - 1] == "}":
                        break
                parts += [buf, options]
                buf = ""
            else:
                buf += s[i]
                i += 1
        return parts + [buf], i

    def sample(self, rng):
        return tidy(self._sample(self.parts, rng))

    @classmethod
    def _sample(cls, parts, rng):
        return "".join(p if isinstance(p, str) else cls._sample(rng.choice(p), rng) for p in parts)

    def first(self):
        return tidy(self._first(self.parts))

    @classmethod
    def _first(cls, parts):
        return "".join(p if isinstance(p, str) else cls._first(p[0]) for p in parts)

    def size(self):
        return self._size(self.parts)

    @classmethod
    def _size(cls, parts):
        n = 1
        for p in parts:
            if not isinstance(p, str):
                n *= sum(cls._size(option) for option in p)
        return n

    def regex(self):
        """A regular expression for normalised text."""
        return re.sub(r"(\\ )+", r" *", self._regex(self.parts))

    @classmethod
    def _regex(cls, parts):
        return "".join(re.escape(re.sub(r"[^a-z0-9 ]+", " ", p.lower())) if isinstance(p, str) else "(?:" + "|".join(map(cls._regex, p)) + ")" for p in parts)

    def all(self):
        return (tidy(s) for s in self._all(self.parts))

    @classmethod
    def _all(cls, parts):
        choices = [[p] if isinstance(p, str) else [s for option in p for s in cls._all(option)] for p in parts]
        return ["".join(c) for c in itertools.product(*choices)]


def tidy(s):
    return re.sub(r"\s+", " ", s).strip()


CONTRACTIONS = [("what is", "what's"), ("how is", "how's"), ("who is", "who's"), ("where is", "where's"), ("that is", "that's"),
                ("it is", "it's"), ("there is", "there's"), ("i am", "i'm"), ("do not", "don't"), ("does not", "doesn't"),
                ("did not", "didn't"), ("is not", "isn't"), ("are not", "aren't"), ("can not", "can't"), ("cannot", "can't"),
                ("will not", "won't"), ("i have", "i've"), ("i would", "i'd"), ("i will", "i'll"), ("you are", "you're"),
                ("let us", "let's"), ("was not", "wasn't"), ("what are", "what're"), ("they are", "they're")]


def normalise(s):
    """The form in which two questions count as the same one."""
    s = s.lower()
    for long, short in CONTRACTIONS:
        s = s.replace(short, long)
    return tidy(re.sub(r"[^a-z0-9]+", " ", s))


# ------------------------------------------------------------------------------------------------ augmentation

# Words that may stand for each other in a question, whatever it is about.
SYNONYMS = [g.split("|") for g in """
get|receive|obtain|gain
earn|get|make|receive
split|divided|shared|distributed
calculated|computed|determined|worked out
chosen|selected|picked
choose|select|pick
stored|saved|kept
store|save|keep
explain|describe|clarify|outline
show|tell|give
big|large|huge
small|little|tiny
validator|node|node operator|validator node
validators|nodes|node operators
request|prompt|query|inference request
requests|prompts|queries
question|prompt|query
chat|conversation|dialogue
chats|conversations|dialogues
answer|reply|response|output
answers|replies|responses|outputs
money|nsd|funds
cost|price
costs|prices
cheap|inexpensive|low-priced
expensive|costly|dear
need|require|have to have
needed|required|necessary
allowed|permitted|possible
happens|occurs|is going on
happen|occur
returned|refunded|given back|paid back
refund|repayment|money back
refunds|repayments
fail|go wrong|break
fails|goes wrong|breaks
failed|went wrong|broke
cancel|abort|stop|call off
start|begin|get going
begin|start
stop|end|quit
maximum|highest|largest|upper
minimum|lowest|smallest|least
lowest|smallest|minimum
amount|sum|quantity
share|part|portion|percentage|cut|fraction
percentage|percent|share
fee|charge|price|fees
fees|charges|fee
works|functions|operates
work|function|operate
use|employ|apply|utilise
used|employed|needed
users|people|customers
user|person|customer
wallet|account|address
network|protocol|system|platform
protocol|network|system|project
tokens|coins
token|coin
reward|bonus|payment
rewards|bonuses|payments
rewarded|paid|compensated
paid|given|handed out
penalty|punishment|fine
punished|penalised|sanctioned
stake|collateral|staked nst
unstake|unbond|withdraw my stake
cheat|lie|deceive
cheats|lies|deceives
fake|false|forged|bogus
invalid|bad|wrong
wrong|incorrect|false
checked|verified|controlled|examined
check|verify|see|examine
see|view|look at|check
find|locate|look up
change|modify|alter
changed|modified|altered|adjusted
private|secret|confidential
secret|private|hidden
own|personal
others|other people|strangers|third parties
read|see
new|novel|original
novel|new|original|unique
novelty|originality
measured|computed|judged|calculated
similar|alike|close
cite|quote|reference|refer to
citation|quote|reference
citations|quotes|references
limit|cap|maximum
fast|quick|rapid
faster|quicker|sooner|earlier
slow|sluggish
quickly|fast|rapidly
long|much time
often|frequently
times|attempts
offline|down|unreachable|not reachable|dead
online|reachable|up
busy|occupied|full|at capacity
available|free|around
queue|line|waiting line
wait|stay|hang on
currently|now|at the moment
contract|smart contract
contracts|smart contracts
app|application|interface
program|code|script|software
call|invoke|use
endpoint|url|route|path
statistics|stats|figures|numbers
notifications|alerts|messages
vote|have a say
votes|decides
decide|determine
governance|the dao
upgrade|update
upgrades|updates
rules|parameters
pause|halt|freeze
steal|take|grab
safe|secure
stolen|leaked|taken
lose|forfeit
lost|gone|forfeited
expires|ends|runs out
open|start|create
create|make
become|be
register|sign up|enrol
requirements|conditions|prerequisites
supply|total amount|total supply
exist|are there
fixed|constant|capped
burned|burnt|destroyed
burn|destroy
deposit|put in|pay in
withdraw|take out|get back|cash out
convert|change|turn|exchange|swap
delay|waiting time|wait
period|time|window
error|fault|failure
crashes|breaks down|dies
crash|breakdown
timeout|time out|time-out
reputation|rating|reputation score
score|rating|points
suspended|excluded|banned|blocked
recover|come back|regain it
heal|fade|recover
uptime|availability
urgent|pressing|time-critical
first|at first|initially
steps|stages
different|other|another
various|different|several
way|method|manner
ways|methods|options
kind|sort|type
kinds|sorts|types
purpose|goal|aim|point
meaning|sense
summary|overview|short description
help|assist
please|kindly
also|too
large|big|high
high|good
low|poor|bad
bad|poor
good|high
random|at random
sign|authorise
authorise|approve|sign
send|submit|post
sent|submitted
submit|send
ask|query|put
write|type
pay|spend|give
spend|pay|use up
buy|purchase|get
bought|purchased
blockchain|chain|ledger
language|programming language
written|programmed|coded
model|llm|language model
models|llms|language models
person|human
program|bot|machine
talk|speak|chat
talking|speaking|chatting
""".strip().split("\n")]

SYN = {}
for _group in SYNONYMS:
    SYN.setdefault(_group[0], []).extend(_group[1:])

OPENERS = """please tell me:|please,|hi,|hey,|hello,|quick question:|question:|sorry, but|ok so|so|so,|well,|one more thing:|help:|tell me,|now|and|but|um,|excuse me,|just curious:|i wonder,|i was wondering:|also,|dear bot,|listen,|right,|good, and|then|a question:|maybe you know:|for my notes:|in general,|generally,|basically,|in neuroswarm,|on neuroswarm,|on this network,|here,|be honest:|as a user,|as a newcomer,|can i ask,|may i ask,|yes, but|no,|thanks,|thanks. and""".split("|")
OPENERS_NEUTRAL = [o for o in OPENERS if "neuroswarm" not in o and "network" not in o and "user" not in o]
CLOSERS = """please|thanks|thank you|in short|exactly|again|briefly|actually|then|now|today|right now|in detail|in simple terms|do you know|if i may ask|any idea|in the end|at all|normally|usually|in general|precisely|really|in practice|for me|to me|and why|or not|i forgot|i am curious""".split("|")
CLOSERS_HERE = ["here", "on this network", "in this protocol", "on neuroswarm", "in neuroswarm", "with neuroswarm", "in this system", "on your network", "at neuroswarm"]
FILLERS = "actually|exactly|really|just|normally|usually|now|currently|typically|precisely|basically|even|still|always|simply|then|generally|possibly|maybe|kind of".split("|")
STOP = set("the a an of to is are do does for in on i my me it be at by with this that".split())

REWRITES = [(re.compile(p), out) for p, out in [
    (r"^(?:what is|what are|explain|describe|tell me about) (.{3,40})$",
     ["what is {0}", "tell me what {0} is", "explain {0}", "what exactly is {0}", "what about {0}", "{0}", "can you explain {0}", "tell me about {0}",
      "could you tell me about {0}", "i want to understand {0}", "what do you mean by {0}", "please describe {0}", "information about {0}",
      "give me details of {0}", "say something about {0}", "could you describe {0}", "help me understand {0}", "what can you say about {0}", "please define {0}",
      "i do not understand {0}", "would you explain {0} to me"]),
    (r"^how (?:do|can) i (.+)$",
     ["how to {0}", "how can i {0}", "how do i {0}", "how could i {0}", "how would i {0}", "how does one {0}", "how can one {0}", "how do users {0}", "i want to {0}",
      "i'd like to {0}", "what is the way to {0}", "what must i do to {0}", "what do i have to do to {0}", "is there a way to {0}", "explain how to {0}",
      "tell me how to {0}", "show me how to {0}", "how might i {0}", "how would one {0}", "how do we {0}", "how should i {0}", "i need to {0}", "can you tell me how to {0}"]),
    (r"^(?:can|may|could) i (.+)$",
     ["can i {0}", "is it possible to {0}", "am i able to {0}", "am i allowed to {0}", "is it allowed to {0}", "could i {0}", "can one {0}", "is there a way to {0}",
      "can users {0}", "would it be possible to {0}", "may i {0}", "can we {0}", "i wonder if i can {0}", "can someone {0}"]),
    (r"^what happens (?:if|when) (.+)$",
     ["what if {0}", "what happens when {0}", "what happens if {0}", "{0}, what now", "suppose {0}, what then", "what do you do when {0}", "and if {0}", "what is the consequence when {0}",
      "what will happen if {0}", "tell me what happens when {0}", "what would happen if {0}", "in case {0}, what happens"]),
    (r"^(?:do|must|should) i (.+)$",
     ["do i {0}", "do i have to {0}", "must i {0}", "should i {0}", "does one {0}", "do users {0}", "will i {0}", "am i supposed to {0}", "do you have to {0}", "do we {0}", "would i {0}"]),
    (r"^how (is|are) ((?:the |a |an |my )?\w+) (.+)$",
     ["how {0} {1} {2}", "tell me how {1} {0} {2}", "explain how {1} {0} {2}", "in what way {0} {1} {2}", "how exactly {0} {1} {2}", "i want to know how {1} {0} {2}",
      "do you know how {1} {0} {2}", "by what rule {0} {1} {2}", "can you tell me how {1} {0} {2}"]),
    (r"^how does (.+) work$",
     ["how does {0} work", "how {0} works", "explain {0}", "explain how {0} works", "tell me how {0} works", "in what way does {0} work", "what is the idea of {0}", "how do you do {0}",
      "what is {0} about", "describe how {0} works", "i do not get how {0} works"]),
    (r"^how (much|many) (.+)$",
     ["how {0} {1}", "tell me how {0} {1}", "do you know how {0} {1}", "exactly how {0} {1}", "about how {0} {1}", "can you say how {0} {1}"]),
    (r"^(which|what) (.+)$", ["which {1}", "what {1}", "tell me which {1}", "do you know which {1}", "can you tell me what {1}", "say which {1}"]),
    (r"^(where|when|why|who) (.+)$", ["{0} {1}", "{0} exactly {1}", "tell me {0} {1}", "do you know {0} {1}", "i want to know {0} {1}", "can you tell me {0} {1}"]),
]]


def vary(q, rng, in_scope=True, strength=1.0):
    """One more way to put a question: other words, another frame, slips of the keyboard."""
    def chance(p):
        return rng.random() < p * strength
    if chance(0.35):
        for regex, options in REWRITES:
            m = regex.match(q)
            if m:
                q = rng.choice(options).format(*m.groups())
                break
    words = q.split()
    if chance(0.6):
        rate = rng.choice((0.15, 0.3, 0.5))
        words = [rng.choice(SYN[w]) if w in SYN and rng.random() < rate else w for w in words]
    if chance(0.08):
        words = [{"i": "one", "my": "the", "me": "somebody"}.get(w, w) for w in words]
    if chance(0.1) and len(words) > 2:
        words = [w for w in words if not (w in STOP and rng.random() < 0.6)] or words
    if chance(0.1) and len(words) > 4:
        del words[rng.randrange(len(words))]
    if chance(0.08):
        words.insert(rng.randrange(1, len(words) + 1), rng.choice(FILLERS))
    if chance(0.03) and len(words) > 3:
        i = rng.randrange(len(words) - 1)
        words[i], words[i + 1] = words[i + 1], words[i]
    if chance(0.14):
        i = rng.randrange(len(words))
        words[i] = slip(words[i], rng)
    q = " ".join(words)
    if chance(0.4):
        for long, short in rng.sample(CONTRACTIONS, len(CONTRACTIONS)):
            q = re.sub(r"\b" + long + r"\b", short if rng.random() < 0.8 else short.replace("'", ""), q)
    if chance(0.2):
        q += (" " if rng.random() < 0.7 else ", ") + rng.choice(CLOSERS + CLOSERS_HERE * 2 if in_scope else CLOSERS)
    if chance(0.2):
        q = rng.choice(OPENERS if in_scope else OPENERS_NEUTRAL) + " " + q
    r = rng.random()
    if r < 0.55:
        q = q[0].upper() + q[1:]
        q = re.sub(r"\bi\b", "I", q) if rng.random() < 0.8 else q
    elif r < 0.58:
        q = q.upper()
    elif r < 0.66:
        q = re.sub(r"\bi\b", "I", q)
    if rng.random() < 0.5:
        q = re.sub(r"\b(nsd|nst|lcai|choir|ipfs|cid|evm|api)\b", lambda m: m.group(1).upper(), q)
        q = re.sub(r"\bneuroswarm\b", "NeuroSwarm", q)
    return q + rng.choice(("?", "?", "?", "", "", "", "??", ".", " ?", "!"))


def slip(w, rng):
    if len(w) < 4:
        return w
    i, kind = rng.randrange(1, len(w) - 1), rng.randrange(4)
    if kind == 0:
        return w[:i] + w[i + 1:]
    if kind == 1:
        return w[:i] + w[i + 1] + w[i] + w[i + 2:]
    if kind == 2:
        return w[:i] + w[i] + w[i:]
    return w[:i] + rng.choice("abcdefghijklmnopqrstuvwxyz") + w[i + 1:]


def invented_word(rng):
    return "".join(rng.choice("bcdfghjklmnprstvwz") + rng.choice("aeiou") + rng.choice(("", "", "n", "r", "s", "l")) for _ in range(rng.randint(1, 3)))


def gibberish(rng):
    kind = rng.randrange(5)
    if kind == 0:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 12)))
    if kind == 1:
        return " ".join(invented_word(rng) for _ in range(rng.randint(1, 5)))
    if kind == 2:
        return rng.choice(["what is {}", "how do i {} a {}", "who is {}", "tell me about {}", "explain {}", "where is {}", "how much is a {}", "why is {} {}",
                           "when did {} {}", "what does {} mean", "is {} {}", "who was {} {}", "how old is {}", "what is the {} of {}", "how does a {} work",
                           "who wrote {}", "write a {} about {}", "recommend a {}"]).format(invented_word(rng), invented_word(rng))
    if kind == 3:
        return "".join(rng.choice("0123456789+-*/=().,;:!?# ") for _ in range(rng.randint(2, 12))).strip() or "0"
    return rng.choice(["function {}() {{ return 1; }}", "import {}", "print({})", "SELECT * FROM {}", "<div>{}</div>", "int {} = 0;", "for i in {}:", "sudo apt install {}",
                       "const {} = 5", "class {} extends Base", "git push {}", "npm run {}"]).format(invented_word(rng))


# What a question about the protocol is about. With other nouns in their place the same question is out of scope.
OWN_NOUNS = re.compile(r"\b(requests?|prompts?|validators?|nodes?|credits?|nsd|nst|lcai|choir|rewards?|stakes?|staking|fees?|chats?|answers?|sessions?|api keys?|"
                       r"payments?|reputation|tokens?|(?:smart )?contracts?|neuroswarm|network|protocol|keeper|models?|guardian|callbacks?|websocket|citations?|novelty|"
                       r"refunds?|upgrades?|parameters?|heartbeat|uptime|deposits?|withdrawals?|audits?|slashing|supply|conversations?|outputs?|results?|earnings)\b")


def estranged(q, rng, nouns):
    """The question with its subject swapped for something else, or None when it names none."""
    swapped, n = OWN_NOUNS.subn(lambda m: rng.choice(nouns) + ("s" if m.group(0).endswith("s") and rng.random() < 0.7 else ""), q)
    return swapped if n else None


# ------------------------------------------------------------------------------------------------- the samples


class Questions:
    """Draws (fact index, varied question). The last index is the out-of-scope answer."""

    def __init__(self, facts, out_of_scope, held_out, with_dev):
        self.facts = facts + [out_of_scope]
        self.oos = len(facts)
        self.pools = []
        for fact in self.facts:
            patterns = [Pattern(p) for p in fact.patterns]
            weights = [min(p.size(), 400) ** 0.5 for p in patterns]
            if with_dev:
                extra = [Pattern(d.lower().rstrip("?").replace("{", "(").replace("}", ")")) for d in fact.dev]
                patterns += extra
                weights += [2.0 if fact is not out_of_scope else 6.0] * len(extra)
            self.pools.append((patterns, list(itertools.accumulate(weights))))
        self.held = {normalise(q) for qs in held_out.values() for q in qs}
        self.nouns = read_list("noun")
        self.skipped = 0

    def assert_no_leak(self):
        """No pattern may spell a held-out question. The out-of-scope patterns are matched, since listing them would take for ever."""
        for fact in self.facts:
            for q in fact.dev:
                assert normalise(q) not in self.held, "held-out question among the development ones: " + q
            for p in map(Pattern, fact.patterns):
                if p.size() < 100_000:
                    for q in p.all():
                        assert normalise(q) not in self.held, "held-out question in the training text: " + q
                else:
                    regex = re.compile(p.regex(), re.I)
                    for q in self.held:
                        assert not regex.fullmatch(q), "held-out question in the training text: " + q

    def draw(self, rng, index, strength=1.0):
        if index == self.oos and rng.random() < 0.1:
            return gibberish(rng)
        estrange = index == self.oos and rng.random() < 0.15
        while True:
            patterns, cumulative = self.pools[rng.randrange(self.oos) if estrange else index]
            q = rng.choices(patterns, cum_weights=cumulative)[0].sample(rng)
            if estrange:
                q = estranged(q, rng, self.nouns)
                if q is None:
                    continue
            q = vary(q, rng, index != self.oos, strength)
            if normalise(q) not in self.held:
                return q
            self.skipped += 1
