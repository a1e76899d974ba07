"""Writes ifeval.own, ifbench.own and iftrain.own (.jsonl.gz): verdicts of the reference code on texts of our own making.

Run with CPython 3.11, nltk 3.10.3, emoji 2.16.0: python verdicts.py HIR IFBENCH OPEN_INSTRUCT NLTK_DATA
HIR is a checkout of github.com/sastpg/HIR at a06c51f (IFEval; IFBench r1), IFBENCH one of github.com/allenai/IFBench at
db69a6f (IFBench r2), OPEN_INSTRUCT one of github.com/allenai/open-instruct at e6c3044 (IFTrain). NLTK_DATA holds
punkt_tab and stopwords. Types that hang on langdetect, syllapy or a tagger are left out: stand-ins replace these.

Each line: response, instruction_id_list, kwargs, and for each instruction strict and loose (true, false, or the error
that the checker raised), for IFBench also strict_r2 and loose_r2. Texts and parameters are drawn at random, with at
most QUOTA lines of each verdict for a type.
"""
import collections
import gzip
import importlib
import json
import pathlib
import random
import sys
import types

import nltk

HERE = pathlib.Path(__file__).parent
HIR, IFBENCH, OPEN_INSTRUCT, NLTK_DATA = sys.argv[1:5]
QUOTA = 20
nltk.data.path.insert(0, NLTK_DATA)
nltk.download = lambda *a, **k: True
LEFT_OUT = {"language:response_language", "change_case:english_capital", "change_case:english_lowercase",
            "words:start_verb", "words:odd_even_syllables"}


def stand_in(name, **names):
    made = types.ModuleType(name)
    made.__dict__.update(names)
    sys.modules[name] = made


def refuse(*_):
    raise RuntimeError("a stand-in was asked")


stand_in("langdetect", detect=refuse, LangDetectException=ValueError,
         lang_detect_exception=types.SimpleNamespace(LangDetectException=ValueError),
         DetectorFactory=types.SimpleNamespace(seed=0))
stand_in("syllapy", count=refuse)
stand_in("spacy", load=lambda *a, **k: None)
stand_in("spacy.cli", download=lambda *a: None)


def registry(folder, package=""):
    for name in [m for m in sys.modules if m.startswith("instructions")]:
        del sys.modules[name]
    sys.path.insert(0, folder)
    parts = package.split(".")[:-1]
    for i in range(len(parts)):  # without what the packages' own __init__ runs
        stand_in(".".join(parts[:i + 1]), __path__=["/".join([folder, *parts[:i + 1]])])
    found = importlib.import_module(package + "instructions_registry")
    sys.path.pop(0)
    return getattr(found, "FUNCTION_DICT", None) or found.INSTRUCTION_DICT


def check(cls, type_id, kwargs, text):
    random.seed(0)
    checker = cls(type_id)
    checker.build_description(**kwargs)
    return bool(text.strip() and checker.check_following(text))


def verdict(call):
    try:
        return call()
    except Exception as e:  # the reference raises on some texts
        return {"error": type(e).__name__}


def verdicts(cls, type_id, kwargs, text):
    lines = text.split("\n")
    cut = [text, "\n".join(lines[1:]).strip(), "\n".join(lines[:-1]).strip(), "\n".join(lines[1:-1]).strip()]
    variants = [cut[0], cut[0].replace("*", ""), *cut[1:], *(c.replace("*", "") for c in cut[1:])]
    return (verdict(lambda: check(cls, type_id, kwargs, text)),
            verdict(lambda: any(check(cls, type_id, kwargs, v) for v in variants)))


R = random.Random(14)
WORDS = ("harbour lantern mild copper river quiet seven ladder umbrella orange engine valley winter Oslo Anna Peter "
         "and but or so yet we they she it you level radar civic rotor kayak refer a the of in is was very über naïve "
         "42 7 3.14 it's don't ice-cold walnut insect castle dragon window market cotton Emma Liam quickly bridge"
         ).split()
NASTY = ["", " ", "\n", "\u00a0", "\u200b", "\ufeff", "ﬁ", "İ", "ß", "ſ", "½", "٣", "今天", "ありがとう", "🙂", "👍🏽", "e\u0301",
         "\x1c", "\u2028", "\x85", "\r\n", "\t", "“quoted”", "‘so’", "...", "?!", "!?", "‽", "--", "—", "*", "**", "_", "\\"]
PHRASES = ["The ferry left the harbour before dawn.", "Who paid for the lantern?", "What a quiet valley!",
           "Dr. Moe met Mrs. Lund at 5 p.m. in St. Olav St.", "She said \"go.\" Then he left.", "It cost 3.50 at shop.com.",
           "We packed bread, cheese, and tea.", "Is it (still) raining?!", "Peter and Anna rowed home; it was late: midnight."]
TAIL = ["Any questions left?", "That is all.", "P.S. Bring the copper ladder.", "p. p. s. One more thing"]


def word():
    return R.choice(WORDS)


def sentence():
    if R.random() < 0.4:
        return R.choice(PHRASES)
    return " ".join(word() for _ in range(R.randint(1, 9))).capitalize() + R.choice([".", ".", "?", "!", ""])


def prose():
    return " ".join(sentence() for _ in range(R.randint(1, 6)))


def many(make, low, high, glue):
    return glue.join(make() for _ in range(R.randint(low, high)))


SHAPES = [
    prose, lambda: many(prose, 2, 5, "\n\n"), lambda: many(prose, 2, 5, "\n***\n"), lambda: many(prose, 2, 3, "******"),
    lambda: many(lambda: "* " + sentence(), 1, 6, "\n"), lambda: many(lambda: "- " + sentence(), 1, 6, "\n"),
    lambda: many(lambda: "* " + sentence() + "\n  - " + sentence(), 1, 4, "\n"),
    lambda: "<<" + word() + " " + word() + ">>\n" + prose(), lambda: "SECTION 1\n" + prose() + "\nSECTION 2 " + prose(),
    lambda: json.dumps({word(): [R.randint(0, 9), None, {word(): 1.5}]}), lambda: "```json\n{\"a\": [1, 2]}\n```",
    lambda: "```\n{\"a\": NaN, \"a\": 01}\n```", lambda: '"' + prose() + '"', lambda: prose() + " [name] [place of birth]",
    lambda: "*" + word() + "* and **" + word() + " " + word() + "** " + prose(), lambda: prose().upper(),
    lambda: prose().lower(), lambda: prose().title(), lambda: prose().replace(",", ""), lambda: "".join(prose().split()),
    lambda: many(word, 1, 12, "\n"), lambda: many(word, 1, 12, ", "), lambda: "My answer is " + R.choice(["yes.", "no.", "maybe."]),
    lambda: prose() + "\n" + R.choice(TAIL), lambda: "([{(<{[()]}>)}]) " + prose(), lambda: "\"a 'b \"c\" d' e\" " + prose(),
    lambda: "<i>" + sentence() + "</i> " + prose(), lambda: "\n".join(" " * i + sentence() for i in range(R.randint(2, 5))),
    lambda: " ".join("[" + word() + "]" for _ in range(5)), lambda: " ".join("<<" + word() + " " + word() + ">>" for _ in range(3)),
    lambda: "-".join(prose().split(". ")), lambda: "14, 21, 28, 35, 42, 49", lambda: "\n".join(word() for _ in range(3)) + "\n" + prose(),
    lambda: " ".join(c + "x" for c in "abcdefghijklmnop"[:R.randint(3, 16)]), lambda: " ".join(sentence() + " 🙂" for _ in range(3)),
    lambda: "1769-02-28, 1802-12-31, 1821-00-29", lambda: "ID\tName\n\"1\"\t\"a\"\n\"2\"\t\"b\"", lambda: "elgae dlab", lambda: "eagle bald the",
    lambda: "Amsterdam, Athens, Berlin", lambda: "My Answer: " + prose() + "\nMy Conclusion: no\nFuture Outlook: " + word(),
    lambda: " ".join(R.sample(["level", "radar", "civic", "rotor", "kayak", "refer", "madam", "sagas", "solos", "tenet", "stats"], 10)),
    lambda: "SEPARATOR".join(sentence() for _ in range(3)), lambda: "ありがとう 今天 " * 3 + word(), lambda: word(), lambda: "",
    lambda: "It is and but for nor or so yet. " + prose(), lambda: "quartz walnut opal " + prose() + " opal",
    lambda: " ".join(["up", "top", "two", "seven", "eleven's", "ox", "fifth"][:R.randint(1, 7)]),
    lambda: PROMPT, lambda: PROMPT + "\n" + prose(), lambda: "******".join([PROMPT] * R.randint(1, 3)), lambda: PROMPT.upper(),
    lambda: PROMPT[R.randint(0, 9):R.randint(10, 40)], lambda: "X" + PROMPT[1:], lambda: " ".join(["Xyz", *PROMPT.split()[1:]]),
    lambda: "a a. b c. d e.", lambda: "maybe", lambda: "I don't know", lambda: "a", lambda: PROMPT[3:20], lambda: PROMPT[2:9],
    lambda: "red " + "blue " * 2 + "green " * 3 + "pink " * 5 + "grey " * 7, lambda: "We row. We row. We row.",
    lambda: "\n***\n".join(["Ann ran."] * 3), lambda: "\n***\n".join(["It is so. It was."] * 3),
    lambda: ", ".join("Reykjavik Helsinki Oslo Tallinn Stockholm Riga Moscow Copenhagen Vilnius Minsk Dublin Berlin".split()),
    lambda: " ".join(c.upper() + " word." if R.random() < 0.99 else "Odd." for c in "abcdefghijklmnopqrstuvwxyz"),
    lambda: "Explain how " + word(), lambda: " ".join(PROMPT.split()[R.randint(1, 3):R.choice([5, 8, 20])]).lower(),
    lambda: "Question 1: Why?\nA) a\nB) b\nC) c\nD) d\nE) e\nQuestion 2: Why so?\nA) a\nB) b\nC) c\nD) d\nE) e",
    lambda: "\"ID\"\t\"Name\"\n\"1\"\t\"a\"\n\"2\"\t\"b\"\n\"3\"\t\"c\"",
    lambda: "ID,Country,City,Year,Count\n" + "\n".join(f"{i},Norway,Oslo,20{i:02},{i}" for i in range(R.choice([6, 7, 8]))),
    lambda: "Dance like nobody is watching you Dance like someone is watching you",
]
PROMPT = "Explain how a lock lifts a boat, in five short sentences."


def text():
    made = R.choice(SHAPES)()
    if R.random() < 0.25:
        made = made + R.choice(["\n", " ", "\n\n"]) + R.choice(SHAPES)()
    for _ in range(R.choice([0, 0, 0, 1, 2])):
        at = R.randint(0, len(made))
        made = made[:at] + R.choice(NASTY) + made[at:]
    return made


def some(*options):
    return lambda t: R.choice(options)


def near(t):
    """A word of the text, or another."""
    words = [w.strip(".,!?\"'*()[]") for w in t.split()]
    words = [w for w in words if w.isalpha()]
    return R.choice(words) if words and R.random() < 0.7 else word().strip(".'")


def count(t):
    return R.randint(1, 6)


RELATION = some("at least", "less than")
KWARGS = {
    "change_case:capital_word_frequency": dict(capital_relation=RELATION, capital_frequency=count),
    "combination:repeat_prompt": dict(prompt_to_repeat=lambda t: PROMPT),
    "detectable_content:number_placeholders": dict(num_placeholders=some(1, 2, 3)),
    "detectable_content:postscript": dict(postscript_marker=some("P.S.", "P.P.S")),
    "detectable_format:multiple_sections": dict(section_spliter=some("SECTION", "Part"), num_sections=some(1, 2, 3)),
    "detectable_format:number_bullet_lists": dict(num_bullets=count),
    "detectable_format:number_highlighted_sections": dict(num_highlights=some(1, 2, 3)),
    "keywords:existence": dict(keywords=lambda t: [near(t), near(t)]),
    "keywords:forbidden_words": dict(forbidden_words=lambda t: [near(t), near(t)]),
    "keywords:frequency": dict(relation=RELATION, keyword=near, frequency=some(1, 2, 3)),
    "keywords:letter_frequency": dict(let_relation=RELATION, letter=some(*"aeoxz"), let_frequency=count),
    "length_constraints:nth_paragraph_first_word": dict(first_word=near, num_paragraphs=some(2, 3), nth_paragraph=some(1, 2)),
    "length_constraints:number_paragraphs": dict(num_paragraphs=some(1, 2, 3, 4)),
    "length_constraints:number_sentences": dict(relation=RELATION, num_sentences=count),
    "length_constraints:number_words": dict(relation=RELATION, num_words=lambda t: R.randint(1, 40)),
    "startend:end_checker": dict(end_phrase=some("That is all.", "Any questions left?", "yes.")),
    "count:conjunctions": dict(small_n=some(1, 2, 3)),
    "count:keywords_multiple": dict(keyword1=some("red"), keyword2=some("blue"), keyword3=some("green"),
                                    keyword4=some("pink"), keyword5=some("grey")),
    "count:numbers": dict(N=some(1, 2, 3)), "count:person_names": dict(N=some(1, 2, 3)), "count:pronouns": dict(N=count),
    "count:unique_word_count": dict(N=lambda t: R.randint(1, 30)),
    "count:word_count_range": dict(min_words=some(1, 5, 10), max_words=some(12, 20, 40)),
    "count:words_japanese": dict(N=some(1, 2, 3)), "format:list": dict(sep=some("SEPARATOR", "-", "!?!?")),
    "format:options": dict(options=some("yes/no/maybe", "a, b, or c", "I know or I don't know")),
    "ratio:overlap": dict(percentage=some(20, 60, 90), reference_text=lambda t: R.choice([t + " and more", PROMPT])),
    "ratio:stop_words": dict(percentage=some(10, 30, 50)), "repeat:repeat_change": dict(prompt_to_repeat=lambda t: PROMPT),
    "repeat:repeat_span": dict(prompt_to_repeat=lambda t: PROMPT, n_start=some(1, 2, 3), n_end=some(5, 8, 20)),
    "sentence:increment": dict(small_n=some(1, 2)), "sentence:keyword": dict(word=near, N=some(1, 2, 3)),
    "words:keywords_specific_position": dict(keyword=near, n=some(1, 2), m=some(1, 2, 3)),
    "words:repeats": dict(small_n=some(1, 2, 3)), "words:words_position": dict(keyword=near),
    "copy:copy": dict(prompt_to_repeat=lambda t: PROMPT), "copy:copying_simple": dict(prompt_to_repeat=lambda t: PROMPT),
    "copy:copying_multiple": dict(prompt_to_repeat=lambda t: PROMPT, N=some(2, 3)),
    "copy:repeat_phrase": dict(phrase=lambda t: "Dance like nobody is watching you", small_n=some(1, 2)),
    "count:count_increment_word": dict(keyword1=near, keyword2=near),
    "count:counting_composition": dict(n_sent=some(1, 2, 3), n_words=some(3, 5)), "count:lowercase_counting": dict(N=lambda t: R.randint(1, 20)),
    "first_word:first_word_answer": dict(first_word=near), "first_word:first_word_sent": dict(first_word=near),
    "keywords:exclude_word_harder": dict(keyword=near), "keywords:word_once": dict(keyword=near),
    "keywords:keyword_specific_position": dict(keyword=near, n=some(1, 2), m=some(1, 2, 3)),
    "keywords:word_count_different_numbers": dict(keyword=near, frequency=some(1, 2, 3), relation=RELATION),
    "last_word:last_word_answer": dict(last_word=near), "last_word:last_word_sent": dict(last_word=near),
    "letters:letter_counting": dict(N=lambda t: R.randint(1, 80), relation=RELATION),
    "letters:letter_counting2": dict(letter=some(*"aeoxz"), let_frequency=count, let_relation=RELATION),
    "new:copy_span_idx": dict(prompt_to_repeat=lambda t: PROMPT, n_start=some(1, 4), n_end=some(8, 20)),
}


def write(bench, checkers, revised=None):
    types_ = sorted(t for t in checkers if t not in LEFT_OUT)
    seen = collections.Counter()
    lines = []
    for number in range(2000):
        response = text()
        line = collections.defaultdict(list)
        for type_id in R.sample(types_, len(types_)):
            kwargs = {k: draw(response) for k, draw in KWARGS.get(type_id, {}).items()}
            strict, loose = verdicts(checkers[type_id], type_id, kwargs, response)
            key = (type_id, str(strict), str(loose))
            if seen[key] >= QUOTA:
                continue
            seen[key] += 1
            line["instruction_id_list"].append(type_id)
            line["kwargs"].append(kwargs)
            line["strict"].append(strict)
            line["loose"].append(loose)
            if revised:
                strict, loose = verdicts(revised[type_id], type_id, kwargs, response)
                line["strict_r2"].append(strict)
                line["loose_r2"].append(loose)
        if line:
            lines.append({"bench": bench, "key": f"own#{number}", "response": response, **line})
    if any("RuntimeError" in key[1] + key[2] for key in seen):
        raise SystemExit("a stand-in was asked: " + str(seen))
    with gzip.GzipFile(HERE / (bench + ".own.jsonl.gz"), "wb", mtime=0) as out:
        for line in lines:
            out.write((json.dumps(line) + "\n").encode())
    never = [t for t in types_ if not any(k[0] == t and k[1] == "True" for k in seen)]
    print(bench, len(lines), "texts", sum(seen.values()), "cases; never satisfied:", never)


ifeval = registry(HIR + "/evaluation/IFEval")
write("ifeval", ifeval)
first = registry(HIR + "/evaluation/IFBench")
write("ifbench", first, registry(IFBENCH, "ifbench."))
everything = registry(OPEN_INSTRUCT, "open_instruct.IFEvalG.")
write("iftrain", {t: c for t, c in everything.items() if t not in ifeval})
