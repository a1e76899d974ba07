"""Writes two small byte-level BPE tokenizers and the tokenizers library's results with them.

Run with CPython 3.11, tokenizers 0.23.2: python tokenizer.py
Both are trained on the sentences below: qwen_mini has Qwen2's form (NFC, single digits), llama3_mini has Llama 3's
(digits by three, ignore_merges, a first token that is added). 512 tokens each. encode.json: text, ids, tokens,
ids_add_special, decoded, decoded_skip_special; decode.json: ids, broken characters among them, and decoded.
"""
import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
CORPUS = ["The harbour lantern was lit before the ferry left, and the river lay quiet below the valley.",
          "Seven copper ladders stood against the orange umbrella; nobody said whose they were.",
          "What did the engine say when it was 42 years old? It said: 1,234.50 and nothing more!",
          "Write a short text about the sea, with three sentences and without a comma.",
          "Wir fuhren über die Brücke; la fenêtre était ouverte. 今天天气好 ありがとう привет 🙂🙂",
          "def row(boat):\n    return boat ** 2\n\n\tthe the the  the   the"] * 3
TEXTS = ["", " ", "  ", "\n", " \n\n \t", "a", "The harbour lantern", "the THE The tHe", "I'm sure you'll see they've DONE it, IT'S 'S",
         "12345 6789 1,234.50 3.14159", "x=1;y=22;z=333;w=4444", "two  spaces,   three,    four ", "line\r\nline\n\n\nend\n",
         "cafe\u0301 na\u0308ive Grüße ﬁ ½ Å", "今天天气好，ありがとう。 привет שלום مرحبا 한국어", "🙂🙂🎉 👍🏽 👩\u200d👩\u200d👧 🇳🇴", "“curly” ‘quotes’ – — …",
         "\u00a0nbsp\u3000wide\u200bzero\ufeffbom\x00nul\x1b", "𝔘𝔫 𐍈 𠜎", "def row(boat):\n    return boat ** 2  # x\n", "{\"a\": [1, {\"b\": \"c\\n\"}]}",
         "<|im_start|>user\nhi<|im_end|>\n", "text<|im_end|>text", "< |im_end|>", "<|IM_END|>", "<think>\nwhy\n</think>\n\nso",
         "<|begin_of_text|>hi<|eot_id|>", "<|start_header_id|>user<|end_header_id|>\n\nhi", "a" * 41, "aaaa bbbb " * 5,
         "antidisestablishment", "http://example.org/p?q=1&r=2#f", "C:\\dir\\file", "100% of $5 & #1 ^_^ ~`|", "words words\nwords\twords ", "''''s's'S"]
KINDS = {
    "qwen_mini": dict(digits="", special=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
                      added=["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"],
                      config=dict(bos_token=None, eos_token="<|im_end|>", pad_token="<|endoftext|>")),
    "llama3_mini": dict(digits="{1,3}", special=["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
                                                 "<|eom_id|>", "<|python_tag|>", "<|finetune_right_pad_id|>"], added=[],
                        config=dict(bos_token="<|begin_of_text|>", eos_token="<|eot_id|>", pad_token="<|finetune_right_pad_id|>")),
}


def train(kind):
    llama = kind["digits"] != ""
    made = Tokenizer(models.BPE(ignore_merges=llama))
    if not llama:
        made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT % kind["digits"]), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)])
    made.decoder = decoders.ByteLevel()
    size = 512 - len(kind["special"]) - len(kind["added"])
    made.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=size, min_frequency=1, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    assert made.get_vocab_size() == size, made.get_vocab_size()
    made.add_special_tokens(kind["special"])
    made.add_tokens([AddedToken(t, normalized=False) for t in kind["added"]])
    byte_level = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    first = kind["config"]["bos_token"]
    made.post_processor = byte_level if not llama else processors.Sequence([byte_level, processors.TemplateProcessing(
        single=first + " $A", special_tokens=[(first, made.token_to_id(first))])])
    return made


def lines(cases):
    return '{"source": "tokenizers 0.23.2", "cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}\n"


for name, kind in KINDS.items():
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    made = train(kind)
    made.save(str(folder / "tokenizer.json"), pretty=False)
    old = json.loads((folder / "tokenizer.json").read_text())
    old["model"]["merges"] = [" ".join(pair) for pair in old["model"]["merges"]]  # as versions before 0.20 wrote them
    (folder / "tokenizer_string_merges.json").write_text(json.dumps(old))
    (folder / "tokenizer_config.json").write_text(json.dumps(
        dict(tokenizer_class="PreTrainedTokenizerFast", model_max_length=4096, **kind["config"]), indent=2) + "\n")
    encoded, decoded = [], []
    for text in TEXTS:
        plain = made.encode(text, add_special_tokens=False)
        encoded.append(dict(text=text, ids=plain.ids, tokens=plain.tokens, ids_add_special=made.encode(text).ids,
                            decoded=made.decode(plain.ids, skip_special_tokens=False),
                            decoded_skip_special=made.decode(plain.ids, skip_special_tokens=True)))
    ids = made.encode("🙂今 é<|im_end|>x", add_special_tokens=False).ids
    for part in [ids[:i] for i in range(len(ids) + 1)] + [ids[i:] for i in range(1, len(ids))]:
        decoded.append(dict(ids=part, decoded=made.decode(part, skip_special_tokens=False)))
    (folder / "encode.json").write_text(lines(encoded))
    (folder / "decode.json").write_text(lines(decoded))
    print(name, made.get_vocab_size(), len(encoded), len(decoded))
