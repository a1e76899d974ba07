"""Writes languages.own.jsonl.gz: the languages that langdetect finds in texts of our own making, many of them mixed.

Run with CPython 3.11 and langdetect 1.0.9: python languages.py
A text is a run of words in one to three languages, with numbers, marks, capitals and line breaks between. Each line:
text, and language, or null where langdetect finds nothing to tell from.
"""
import gzip
import json
import pathlib
import random

import langdetect

WORDS = {
    "en": "the bridge over a river that connects two sides is old and quiet in the morning we walk there",
    "ko": "도멍도 다리는 강의 두 쪽을 잇는 오래된 길입니다 아침에 우리는 그곳을 걷는다 그리고 물",
    "ca": "el pont sobre el riu que uneix dues bandes és vell i tranquil al matí hi anem caminant amb els amics",
    "cy": "mae'r bont dros yr afon yn hen ac yn dawel yn y bore rydym yn cerdded yno gyda ffrindiau bob dydd",
    "es": "el puente sobre el río que une dos lados es viejo y tranquilo por la mañana caminamos allí con amigos",
    "de": "die brücke über den fluss ist alt und ruhig am morgen gehen wir dort mit freunden spazieren",
    "fr": "le pont sur la rivière qui relie deux côtés est vieux et calme le matin nous y marchons avec des amis",
    "ja": "川にかかる橋は古くて静かです 朝 私たちは友達とそこを歩きます 水がきれいです",
    "zh": "河上的桥又老又安静 早上我们和朋友在那里散步 水很清",
    "tw": "河上的橋又老又安靜 早上我們和朋友在那裡散步 水很清",
    "ru": "мост через реку старый и тихий утром мы гуляем там с друзьями и смотрим на воду",
    "ar": "الجسر فوق النهر قديم وهادئ في الصباح نمشي هناك مع الأصدقاء",
    "fa": "پل روی رودخانه قدیمی و آرام است صبح آنجا با دوستان قدم می زنیم",
    "hi": "नदी पर पुल पुराना और शांत है सुबह हम दोस्तों के साथ वहाँ टहलते हैं",
    "mr": "नदीवरील पूल जुना आणि शांत आहे सकाळी आम्ही मित्रांसोबत तिथे फिरतो",
    "vi": "cây cầu bắc qua sông cũ và yên tĩnh buổi sáng chúng tôi đi bộ ở đó với bạn bè",
    "th": "สะพานข้ามแม่น้ำเก่าและเงียบ ตอนเช้าเราเดินที่นั่นกับเพื่อน",
    "tr": "nehrin üzerindeki köprü eski ve sessiz sabah orada arkadaşlarla yürüyoruz",
    "pt": "a ponte sobre o rio que une dois lados é velha e calma de manhã caminhamos lá com amigos",
    "sw": "daraja juu ya mto ni la zamani na kimya asubuhi tunatembea huko na marafiki",
}
MARKS = [" ", " ", " ", " ", " ", ", ", ". ", "\n\n", " - ", " (", ") ", " 12 ", "\n* ", " https://example.org/a?b=1 ", " a.b@example.org ", "  "]


def run(random, language, count):
    words = WORDS[language].split()
    text = ""
    for _ in range(count):
        word = random.choice(words)
        word = {0: word.upper(), 1: word.capitalize()}.get(random.randrange(8), word)
        text += word + random.choice(MARKS)
    return text


def main():
    draw = random.Random(7)
    langdetect.DetectorFactory.seed = 0
    with gzip.GzipFile(pathlib.Path(__file__).with_name("languages.own.jsonl.gz"), "wb", mtime=0) as out:
        for i in range(1200):
            languages = draw.sample(sorted(WORDS), draw.choice([1, 1, 2, 2, 2, 3]))
            if i % 3 == 0 and not set(languages) & {"ko", "ca", "cy"}:
                languages[0] = draw.choice(["ko", "ca", "cy"])
            text = "".join(run(draw, language, draw.randrange(1, 13)) for language in languages)
            if i % 100 == 99:
                text = draw.choice(["", "123 45!", "\n", "…", "😀😀", "A B C"])
            try:
                language = langdetect.detect(text)
            except langdetect.LangDetectException:
                language = None
            out.write((json.dumps({"text": text, "language": language}, ensure_ascii=False) + "\n").encode())


main()
