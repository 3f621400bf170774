import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.knowledge.parsing import ParsedDocument, parse
from concierge.knowledge.parsing.markdown import clean, read_text

FULL = """---
title: "Returns: how they work"
url: https://shop.test/returns
date: 2024-03-01
lastmod: 2025-01-02T10:00:00Z
lang: en-US
tags: [a, b]
---

import Banner from '@site/Banner';

# Returns {#top}

<Banner variant="warning">
Read **this** first, then the _rest_ in `my_file_name`.
</Banner>

{/* not for readers */}<!-- nor this -->
![A chair](chair.png)

:::tip[Sale items]
They can be [returned](/sale) too. Start [here](https://shop.test/start) or <https://shop.test/form>.
:::

* one
* two

```python
import os  # **kept** <as it is>
```
"""


def parsed(source: str, filename: str = "page.md") -> ParsedDocument:
    return parse(source.encode(), filename=filename, media_type=None)


def test_a_page_of_documentation_becomes_plain() -> None:
    document = parsed(FULL)
    assert document.title == "Returns: how they work"
    assert document.url == "https://shop.test/returns"
    assert document.language == "en"
    assert document.published_at == datetime(2024, 3, 1, tzinfo=UTC)
    assert document.modified_at == datetime(2025, 1, 2, 10, tzinfo=UTC)
    assert document.text == (
        "# Returns\n\nRead this first, then the rest in `my_file_name`.\n\n"
        "Sale items\n\nThey can be returned too. Start here (https://shop.test/start) or https://shop.test/form.\n\n"
        "- one\n- two\n\n```python\nimport os  # **kept** <as it is>\n```"
    )


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("---\ntitle: Shipping: what it costs\n---\ntext", "Shipping: what it costs"),
        ('+++\ntitle = "Care guide"\n+++\ntext', "Care guide"),
        ("---\ntitle: 2024\n--- \ntext", "2024"),
        ("intro\n\n## Second\n\n# First #\n", "First"),
        ("Warranty\n========\n\ntext", "Warranty"),
        ("```\n# not a heading\n```\ntext", "Page"),
        ("---\n\njust a rule above\n", "Page"),
    ],
)
def test_titles_are_found_where_people_put_them(source: str, title: str) -> None:
    assert parsed(source).title == title


def test_a_name_makes_the_last_title() -> None:
    assert parsed("text", "docs/returns-policy_2024.md").title == "Returns policy 2024"


def test_front_matter_cannot_explode() -> None:
    laughs = "a0: &a0 lol\n" + "\n".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)
    )
    assert parsed(f"---\n{laughs}\ntitle: Calm\n---\ntext").title == "Calm"
    assert parsed(f"---\nsize: 0x{'f' * 6000}\ntitle: Calm\n---\ntext").text == "text"


def test_questions_on_fold_outs_become_headings() -> None:
    source = '## FAQ\n\n<Collapse title="May I return it?">\nYes.\n</Collapse>\n<details><summary>How?</summary>\nBy mail.</details>'
    assert clean(source).split() == [
        "##",
        "FAQ",
        "###",
        "May",
        "I",
        "return",
        "it?",
        "Yes.",
        "###",
        "How?",
        "By",
        "mail.",
    ]


def test_html_tables_and_lists_become_markdown() -> None:
    source = (
        "<table><tr><th>Item</th><th>Fee</th></tr><tr><td>Chair <b>XL</b></td><td>a|b<br/>c</td></tr></table>"
    )
    assert clean(source).strip() == "| Item | Fee |\n| --- | --- |\n| Chair XL | a\\|b c |"
    nested = clean("<ol><li>Pack<ul><li>well</li></ul></li><li>Send</li></ol>")
    assert [line for line in nested.split("\n") if line] == ["1. Pack", "  - well", "2. Send"]


def test_placeholders_and_comparisons_are_text() -> None:
    for text in (
        "Write <your-name> there.",
        "Use <ProjectName> here.",
        "5 < 6 and 7 > 3",
        "`<b>` makes bold",
        "a * b * c",
    ):
        assert clean(text) == text


@given(st.text(alphabet="<>{}[]()`*_#|-!:/\\ab \n\"'=&;~+", max_size=200))
def test_no_markup_breaks_the_reader(source: str) -> None:
    read_text(source)


@given(
    st.lists(st.sampled_from(["word", "two words", "Prices from 10 to 20.", "a_b_c", "2 * 3"]), min_size=1)
)
def test_plain_paragraphs_stay_as_they_are(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    assert clean(text) == text


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "![",
        "[a](",
        "`a``b```c",
        "{/*",
        "<!--",
        "<a {",
        "<a ",
        "# ",
        "**a",
        "import {\n",
        "<ul><li>",
        "<td>",
        "<",
        "_a ",
        "\\<",
    ],
)
def test_hostile_markdown_is_read_in_bounded_time(unit: str) -> None:
    started = time.monotonic()
    read_text(unit * (120_000 // len(unit)))
    read_text("# x" + unit * (120_000 // len(unit)) + "y")
    assert time.monotonic() - started < 10
