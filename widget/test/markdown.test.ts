// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { patch } from "../src/dom";
import { renderMarkdown } from "../src/markdown";

function html(source: string, known = 0): string {
  const target = document.createElement("div");
  const cite = (number: number): Node | null => {
    if (number > known) return null;
    const button = document.createElement("button");
    button.textContent = String(number);
    return button;
  };
  target.append(renderMarkdown(source, cite));
  return target.innerHTML;
}

describe("inline text", () => {
  it.each([
    ["**bold** and *soft* and ***both***", "<p><strong>bold</strong> and <em>soft</em> and <strong><em>both</em></strong></p>"],
    ["__bold__ _soft_ ~~gone~~", "<p><strong>bold</strong> <em>soft</em> <s>gone</s></p>"],
    ["2 * 3 * 4, snake_case_name, a ** b", "<p>2 * 3 * 4, snake_case_name, a ** b</p>"],
    ["**never closed", "<p>**never closed</p>"],
    ["**a *b** c*", "<p><strong>a *b</strong> c*</p>"],
    ["use `a ** b` here", "<p>use <code>a ** b</code> here</p>"],
    ["`` a ` b ``, `open", "<p><code>a ` b</code>, `open</p>"],
    [String.raw`\*plain\* \[1\]`, "<p>*plain* [1]</p>"],
    ["one  \ntwo\nthree<br>four", "<p>one<br>two\nthree<br>four</p>"],
    ["<b onclick=x>hi</b> & &amp;", "<p>&lt;b onclick=x&gt;hi&lt;/b&gt; &amp; &amp;amp;</p>"],
  ])("%s", (source, expected) => expect(html(source)).toBe(expected));
});

describe("links", () => {
  const anchor = (href: string, text: string): string => `<a href="${href}" rel="noopener" target="_blank">${text}</a>`;

  it.each([
    ["[shop](https://a.example/b)", `<p>${anchor("https://a.example/b", "shop")}</p>`],
    ["![chair](https://a.example/c.png)", `<p>${anchor("https://a.example/c.png", "chair")}</p>`],
    ["see https://a.example/x_y*.", `<p>see ${anchor("https://a.example/x_y", "https://a.example/x_y")}*.</p>`],
    ["(https://a.example)", `<p>(${anchor("https://a.example/", "https://a.example")})</p>`],
    ["[https://a.example](https://b.example/)", `<p>${anchor("https://b.example/", "https://a.example")}</p>`],
    ["[mail](mailto:hi@a.example)", `<p>${anchor("mailto:hi@a.example", "mail")}</p>`],
    ["[bad](javascript:alert(1))", "<p>[bad](javascript:alert(1))</p>"],
    ["[bad](JaVaScRiPt:alert)", "<p>bad</p>"],
    ["[bad](data:text/html,x) [rel](/here)", "<p>bad rel</p>"],
    ["[open **text", "<p>[open **text</p>"],
  ])("%s", (source, expected) => expect(html(source)).toBe(expected));

  it("of the page's own site open in place", () => {
    expect(html("[here](http://localhost:3000/returns)")).toBe(
      '<p><a href="http://localhost:3000/returns" rel="noopener">here</a></p>',
    );
  });
});

describe("citations", () => {
  it("become the markers of known sources and keep the full stop with them", () => {
    expect(html("Free [1]. Five days [2][3], or so.", 2)).toBe(
      '<p>Free <span class="cite"><button>1</button>.</span> Five days <span class="cite"><button>2</button></span>[3], or so.</p>',
    );
  });

  it("may stand together", () => {
    expect(html("Both [1, 2]", 2)).toBe('<p>Both <span class="cite"><button>1</button><button>2</button></span></p>');
  });
});

describe("blocks", () => {
  it.each([
    ["# One\ntext\n## Two", "<h3>One</h3><p>text</p><h3>Two</h3>"],
    ["a\n\nb", "<p>a</p><p>b</p>"],
    ["- a\n- b\n  - c\n\nd", "<ul><li><p>a</p></li><li><p>b</p><ul><li><p>c</p></li></ul></li></ul><p>d</p>"],
    ["2. a\n3. b\nlazy", '<ol start="2"><li><p>a</p></li><li><p>b\nlazy</p></li></ol>'],
    ["In\n1999. it began", "<p>In\n1999. it began</p>"],
    ["> a\n> > b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"],
    ["a\n***\nb", "<p>a</p><hr><p>b</p>"],
    ["```py\n# <x>\n\n[1]\n```\nend", '<pre tabindex="0"><code># &lt;x&gt;\n\n[1]</code></pre><p>end</p>'],
    ["~~~\nnever closed", '<pre tabindex="0"><code>never closed</code></pre>'],
    ["a | b\nnot a table", "<p>a | b\nnot a table</p>"],
  ])("%j", (source, expected) => expect(html(source)).toBe(expected));

  it("are tables with aligned, escaped and missing cells", () => {
    expect(html("| A | B |\n|:--|--:|\n| x \\| y | **1** |\n| z |\n\nend")).toBe(
      '<div class="table" tabindex="0"><table><thead><tr><th>A</th><th class="end">B</th></tr></thead><tbody>' +
        '<tr><td>x | y</td><td class="end"><strong>1</strong></td></tr><tr><td>z</td><td class="end"></td></tr>' +
        "</tbody></table></div><p>end</p>",
    );
  });
});

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PIECES = [
  "**", "*", "_", "__", "~~", "`", "``", "```\n", "[", "]", "![", "](", ")", "(", "](javascript:alert(1))", "](https://a.example)",
  "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='javascript:x'>", "javascript:alert(1)", "https://a.example/",
  "[1]", "[1, 2]", "\\", "|", "\n|--|--|\n", "\n", "\n\n", "> ", "- ", "1. ", "# ", "    ", "---", "word", " ", "é🪑", "\0", "\r", "<br>",
];
const TAGS = new Set("P,H3,UL,OL,LI,BLOCKQUOTE,HR,PRE,CODE,DIV,TABLE,THEAD,TBODY,TR,TH,TD,STRONG,EM,S,A,BR,SPAN,BUTTON".split(","));
const ATTRIBUTES = new Set(["href", "rel", "target", "class", "tabindex", "start"]);

function isForeign(element: Element): boolean {
  if (!TAGS.has(element.tagName) || Array.from(element.attributes).some(({ name }) => !ATTRIBUTES.has(name))) return true;
  const href = element.getAttribute("href") ?? "mailto:";
  return !/^(https?:|mailto:)/.test(href) || Boolean(element.querySelector("a a"));
}

describe("hostile text", () => {
  it("never makes a foreign tag, attribute or address, in 1,500 mixtures", () => {
    const pick = random(20);
    for (let round = 0; round < 1500; round += 1) {
      const source = Array.from({ length: 2 + pick(25) }, () => PIECES[pick(PIECES.length)]).join("");
      const fragment = renderMarkdown(source, () => document.createElement("button"));
      const bad = Array.from(fragment.querySelectorAll("*")).filter(isForeign);
      expect(bad, source).toEqual([]);
    }
  });

  it.each(PIECES.concat("[a](", "*a **b ", "`a``", "a_b__", "](x", "![x](", "|a", "- - ", ">- ", "http://", "https://!", "\\ ", "  \n"))(
    "takes linear time on 20,000 characters of %j",
    (piece) => {
      const source = piece.repeat(Math.ceil(20_000 / piece.length));
      const started = performance.now();
      renderMarkdown(source);
      // jsdom builds nodes slowly; quadratic time would take tens of seconds here.
      expect(performance.now() - started).toBeLessThan(2500);
    },
  );

  it("nests no deeper than twenty levels", () => {
    let depth = 0;
    for (let node: Node | null = renderMarkdown("> ".repeat(3000) + "x"); node; node = node.firstChild) depth += 1;
    expect(depth).toBeLessThan(26);
  });
});

describe("repainting", () => {
  it("touches only what changed", () => {
    const target = document.createElement("div");
    patch(target, renderMarkdown("first\n\nsecond"));
    const [first] = Array.from(target.children);
    patch(target, renderMarkdown("first\n\nsecond and more\n\n- third"));
    expect(target.children[0]).toBe(first);
    expect(target.innerHTML).toBe("<p>first</p><p>second and more</p><ul><li><p>third</p></li></ul>");
    patch(target, renderMarkdown("other"));
    expect(target.innerHTML).toBe("<p>other</p>");
  });
});
