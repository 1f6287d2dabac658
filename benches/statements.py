"""Writes bank statements as XSL-FO, for fop to make AFP and PDF of (Python standard library only).

Each statement is a page sequence with its TLEs, a form of rules and boxes, an address and a table of transactions: text, two
typefaces, shared forms. The same number and seed make the same file.
"""
import random

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<fo:root xmlns:fo="http://www.w3.org/1999/XSL/Format" xmlns:afp="http://xmlgraphics.apache.org/fop/extensions/afp">
<fo:layout-master-set>
<fo:simple-page-master master-name="page" page-width="8.5in" page-height="11in" margin="0.5in">
<fo:region-body margin-top="2.4in" margin-bottom="0.6in"/><fo:region-before extent="2.3in"/><fo:region-after extent="0.5in"/>
</fo:simple-page-master>
</fo:layout-master-set>
"""
SHOPS = "GREENLEAF GROCERY|CORNER HARDWARE|TAQUERIA EL SOL|NORTHSIDE BOOKS|MERIDIAN LIGHT|CITY PARKING|HARBOR CAFE".split("|")
NAMES = "Ada Brown|Ben Carter|Cleo Diaz|Dan Evans|Eve Ford|Finn Gray|Gwen Hill|Hugo Ito".split("|")
BOX = 'border="0.5pt solid black" padding="2pt"'


def cell(text, more=""):
    return f'<fo:table-cell padding="1pt 2pt"{more}><fo:block>{text}</fo:block></fo:table-cell>'


def statement(number, random_):
    account, name = f"{number:06d}-{number % 97:02d}", random_.choice(NAMES)
    date = f"{random_.randrange(12) + 1:02d}/28/2024"
    parts = ['<fo:page-sequence master-reference="page" initial-page-number="1" font-family="Helvetica" font-size="9pt">']
    for tag, value in (("AccountNumber", account), ("CustomerName", name), ("StatementDate", date)):
        parts.append(f'<afp:tag-logical-element name="{tag}" value="{value}"/>')
    parts.append(f"""<fo:static-content flow-name="xsl-region-before">
<fo:block font-size="18pt" font-weight="bold" color="#003366">First Cascade Bank</fo:block>
<fo:block font-size="7pt">Member of the deposit insurance - PO Box 4410, Portland OR 97208</fo:block>
<fo:block-container absolute-position="absolute" left="4.6in" top="0in" width="2.9in" {BOX}>
<fo:block>Account {account}</fo:block><fo:block>Date {date}</fo:block><fo:block>Page <fo:page-number/></fo:block></fo:block-container>
<fo:block-container absolute-position="absolute" left="0.3in" top="1.1in" width="3.5in" font-size="11pt">
<fo:block>{name}</fo:block><fo:block>{random_.randrange(9999)} Birch Street</fo:block><fo:block>Dayton OH 45402</fo:block></fo:block-container>
</fo:static-content>
<fo:static-content flow-name="xsl-region-after"><fo:block font-size="7pt" border-top="0.5pt solid black">Please examine this
statement at once.</fo:block></fo:static-content>
<fo:flow flow-name="xsl-region-body"><fo:table table-layout="fixed" width="100%"><fo:table-column column-width="1in"/>
<fo:table-column column-width="4.5in"/><fo:table-column column-width="2in"/><fo:table-body>""")
    for _ in range(random_.choice((12, 30, 60))):
        amount = f"{random_.randrange(99999) / 100:,.2f}"
        what = f"{random_.choice(SHOPS)} {random_.randrange(999999)}"
        parts.append("<fo:table-row>" + cell(f"03/{random_.randrange(28) + 1:02d}") + cell(what) + cell(amount, ' text-align="end" font-family="Courier"') + "</fo:table-row>")
    parts.append("</fo:table-body></fo:table></fo:flow></fo:page-sequence>\n")
    return "".join(parts)


def write(path, count, seed=7):
    """Writes `count` statements."""
    random_ = random.Random(seed)
    with open(path, "w", encoding="utf-8") as out:
        out.write(HEAD)
        for number in range(count):
            out.write(statement(number + 1, random_))
        out.write("</fo:root>\n")
