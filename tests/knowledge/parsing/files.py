"""Real files for the tests, made by the libraries people's tools are made of."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from email.message import EmailMessage
from io import BytesIO

import docx
from pypdf import PdfReader, PdfWriter
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table

SENTENCE = "All furniture has a five-year warranty that covers wood, joints and fittings. "


def pdf(*, title: str = "Warranty terms") -> bytes:
    styles = getSampleStyleSheet()
    content: list[Flowable] = [
        Paragraph("Coverage", styles["Heading1"]),
        Paragraph(SENTENCE * 6, styles["BodyText"]),
        Paragraph("Prices", styles["Heading1"]),
        Table([["Item", "Price"], ["Oak chair", "$120"], ["Walnut table", "$400"]]),
        Paragraph(SENTENCE * 6, styles["BodyText"]),
    ]
    out = BytesIO()
    SimpleDocTemplate(out, title=title).build(content)
    return out.getvalue()


def empty_pdf() -> bytes:
    out = BytesIO()
    canvas = Canvas(out)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def encrypted_pdf() -> bytes:
    out = BytesIO()
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf())))
    writer.encrypt("secret", algorithm="AES-256")
    writer.write(out)
    return out.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = "Return policy"
    document.add_heading("Returns", 1)
    document.add_paragraph("You may return goods within 30 days.")
    document.add_heading("Steps", 2)
    for step in ("Pack it", "Send it"):
        document.add_paragraph(step, style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        [*table.rows[0].cells, *table.rows[1].cells], ["Item", "Fee", "Chair", "$10"], strict=True
    ):
        cell.text = text
    out = BytesIO()
    document.save(out)
    return out.getvalue()


_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SLIDES = (
    f'xmlns:r="{_OFFICE}" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)


def slides(title: str, pages: Mapping[str, Sequence[str]]) -> bytes:
    """A PowerPoint file: each slide's title, and its lines."""
    places = [f"slides/slide{number}.xml" for number in range(1, len(pages) + 1)]
    ids = "".join(f'<p:sldId id="{255 + n}" r:id="rId{n}"/>' for n in range(1, len(pages) + 1))
    return zipped(
        {
            "[Content_Types].xml": _types("ppt/presentation.xml", "presentationml.presentation"),
            "_rels/.rels": _related(("officeDocument", "ppt/presentation.xml"), core="docProps/core.xml"),
            "docProps/core.xml": (
                f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
                f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></cp:coreProperties>'
            ).encode(),
            "ppt/presentation.xml": (
                f"<p:presentation {_SLIDES}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>".encode()
            ),
            "ppt/_rels/presentation.xml.rels": _related(*(("slide", place) for place in places)),
            **{
                f"ppt/{place}": _slide(name, lines)
                for place, (name, lines) in zip(places, pages.items(), strict=True)
            },
        }
    )


def _slide(title: str, lines: Sequence[str]) -> bytes:
    shapes = "".join(
        f'<p:sp><p:nvSpPr><p:cNvPr id="{place}" name="{kind}"/><p:cNvSpPr/><p:nvPr><p:ph {kind}/></p:nvPr></p:nvSpPr>'
        "<p:spPr/><p:txBody><a:bodyPr/>"
        + "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in content)
        + "</p:txBody></p:sp>"
        for place, (kind, content) in enumerate([("type='title'", [title]), ("idx='1'", lines)], 2)
    )
    return f"<p:sld {_SLIDES}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>".encode()


def spreadsheet(rows: Iterable[Sequence[str]], *, sheet: str = "Prices") -> bytes:
    """An Excel file of one sheet."""
    written = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>"
        for row in rows
    )
    return zipped(
        {
            "[Content_Types].xml": _types("xl/workbook.xml", "spreadsheetml.sheet"),
            "_rels/.rels": _related(("officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": (
                f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}"><sheets>'
                f'<sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>'
            ).encode(),
            "xl/_rels/workbook.xml.rels": _related(("worksheet", "worksheets/sheet1.xml")),
            "xl/worksheets/sheet1.xml": (
                f'<worksheet xmlns="{_SPREADSHEET}"><sheetData>{written}</sheetData></worksheet>'.encode()
            ),
        }
    )


def _types(main: str, kind: str) -> bytes:
    office = "application/vnd.openxmlformats-officedocument"
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{office}.{kind}.main+xml"/></Types>'
    ).encode()


def _related(*targets: tuple[str, str], core: str | None = None) -> bytes:
    types = [(f"{_OFFICE}/{kind}", target) for kind, target in targets]
    if core is not None:
        types.append((f"{_PACKAGE}/relationships/metadata/core-properties", core))
    entries = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(types, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'.encode()


def book(chapters: Mapping[str, str]) -> bytes:
    """An e-book: the name of each chapter in the table of contents, and its HTML."""
    numbers = range(1, len(chapters) + 1)
    manifest = "".join(
        f'<item id="c{n}" href="text/c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in numbers
    )
    links = "".join(
        f'<li><a href="text/c{n}.xhtml#start">{name}</a></li>'
        for n, name in zip(numbers, chapters, strict=True)
    )
    return zipped(
        {
            "mimetype": b"application/epub+zip",
            "META-INF/container.xml": (
                b'<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
                b'<rootfile full-path="book/content.opf" media-type="application/oebps-package+xml"/></rootfiles>'
                b"</container>"
            ),
            "book/content.opf": (
                '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">'
                '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Care of oak</dc:title>'
                '<dc:language>en</dc:language><dc:date>2023-05-01</dc:date><dc:identifier id="i">1</dc:identifier>'
                f'</metadata><manifest>{manifest}<item id="nav" href="nav.xhtml" properties="nav" '
                'media-type="application/xhtml+xml"/></manifest><spine>'
                + "".join(f'<itemref idref="c{n}"/>' for n in numbers)
                + "</spine></package>"
            ).encode(),
            "book/nav.xhtml": f"{_HTML}<nav><ol>{links}</ol></nav></body></html>".encode(),
            **{
                f"book/text/c{n}.xhtml": f"{_HTML}{text}</body></html>".encode()
                for n, text in zip(numbers, chapters.values(), strict=True)
            },
        }
    )


_HTML = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>-</title></head><body>'


def mail(attached: Mapping[str, bytes] | None = None, *, html: bool = False) -> EmailMessage:
    """An e-mail with files attached, by name."""
    message = EmailMessage()
    message["From"] = "Ann Smith <ann@shop.example>"
    message["To"] = "team@shop.example"
    message["Subject"] = "Prices from May – Größe"
    message["Date"] = "Fri, 03 May 2024 10:00:00 +0200"
    message.set_content("From May on, a chair costs 140 dollars.")
    if html:
        message.set_content("<p>From May on, a chair costs <b>140</b> dollars.</p>", subtype="html")
    for name, content in (attached or {}).items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message


def locked(archive: bytes) -> bytes:
    """A zip that says of its files that they are encrypted."""
    out = bytearray(archive)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = out.find(mark)
        while place >= 0:
            out[place + at] |= 1
            place = out.find(mark, place + 4)
    return bytes(out)


def repacked(archive: bytes, changes: Mapping[str, bytes]) -> bytes:
    """A zip with some of its parts replaced or added."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(archive)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in [*old.namelist(), *(name for name in changes if name not in old.namelist())]:
            new.writestr(name, changes[name] if name in changes else old.read(name))
    return out.getvalue()


def part(archive: bytes, name: str) -> bytes:
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        return opened.read(name)


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def many_laughs(root: str) -> bytes:
    """A document type whose entities unfold to a billion laughs."""
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY l0 "laugh">{entities}]>'.encode()
