"""Texts in other languages: which one is chosen, what is translated, and that nothing is forgotten."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import resources
from backend.admin.forms.table import FORMS
from backend.admin.language import (
    PSEUDO,
    choose,
    languages,
    pseudo,
    read_po,
    texts_in,
    translated,
    words_of,
)
from backend.admin.specs.template import TEMPLATE, all_texts, quoted, render
from tests.support.form_fields import all_fields

HOLES = re.compile(r"\{[^{}]*\}")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("en-GB,en;q=0.8", "en"),
        ("qps", "qps"),
        ("xx, qps;q=0.5, en;q=0.9", "en"),
        ("en;q=0.2, qps-ploc;q=0.3", "qps"),
        ("qps;q=0", "en"),
        ("*", "en"),
        (";;;,,,q=", "en"),
        ("qps;q=9", "en"),
    ],
)
def test_the_language_that_is_liked_best_is_chosen(header, language):
    assert choose(header) == language


@given(st.text(max_size=60))
def test_no_wish_is_an_error(header):
    assert choose(header) in {*languages(), PSEUDO}


def test_the_language_for_tests_is_longer_and_keeps_the_holes():
    text = pseudo("“{label}” may be at most {max}.")
    assert "{label}" in text
    assert "{max}" in text
    assert len(text) > 1.4 * len("“{label}” may be at most {max}.")


def test_every_text_of_every_form_is_translated():
    for form in FORMS:
        local = translated(form.spec, words_of(PSEUDO))
        assert all(text.startswith("[") for text in texts_in(local)), form.id
        assert len(list(texts_in(local))) == len(list(texts_in(form.spec)))
        assert [each.key for each in local.fields] == [each.key for each in form.spec.fields]


def test_names_of_members_stay_as_they_are():
    for form in FORMS:
        pairs = zip(
            all_fields(form.spec.fields),
            all_fields(translated(form.spec, words_of(PSEUDO)).fields),
            strict=True,
        )
        for (path, english), (_, local) in pairs:
            if english.choices_from is not None:
                assert local.choices_from.label == english.choices_from.label, path
                assert local.choices_from.path == english.choices_from.path
            assert [c.value for c in local.choices] == [c.value for c in english.choices]


def test_english_is_the_specification_itself():
    assert translated(FORMS[0].spec, words_of("en")) is FORMS[0].spec


def test_the_template_for_translators_is_fresh():
    assert resources.text(TEMPLATE) == render("", {}), "python -m backend.admin.specs.template"


@pytest.mark.parametrize("language", [each for each in languages() if each != "en"])
def test_translations_fit_their_texts(language):
    texts = read_po(resources.text(f"locale/{language}.po"))
    known = all_texts()
    for text, translation in texts.items():
        assert text in known, text
        assert sorted(HOLES.findall(text)) == sorted(HOLES.findall(translation)), text
        assert text.endswith(".") == translation.endswith("."), text


def test_a_catalogue_is_read_as_gettext_writes_it():
    text = """\
# A comment
msgid ""
msgstr "Language: de\\n"

#: form account
msgid "Space"
msgstr "Platz"

#, fuzzy
msgid "Log"
msgstr "Holz"

msgid ""
"long "
"text"
msgstr "langer “"
"Text”"

msgid "Untranslated"
msgstr ""
"""
    assert read_po(text) == {"Space": "Platz", "long text": "langer “Text”"}


@pytest.mark.parametrize("broken", ['msgid Space\nmsgstr "x"', 'msgid "a"\nmsgstr "b', "hello"])
def test_a_broken_catalogue_says_where(broken):
    with pytest.raises(ValueError, match="line"):
        read_po(broken)


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20)))
def test_what_is_written_can_be_read(texts):
    lines = [f"msgid {quoted(text)}\nmsgstr {quoted(other)}\n" for text, other in texts.items()]
    assert read_po("\n".join(lines)) == texts
