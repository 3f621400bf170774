"""Real files for the tests, made by the libraries people's tools are made of."""

import zipfile
from collections.abc import Mapping
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
