"""Where the papers are that the pages cite: a citation or a title becomes a link."""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform

ESANN = "www.esann.org/sites/default/files/proceedings/legacy/"
LECTURE = "www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf"
HEWITT = "nlp.stanford.edu/~johnhew/vocab-expansion.html"
ARXIV, JMLR, ACL = "10.48550/arXiv.", "jmlr.org/papers/", "aclanthology.org/"
# First author and year -> DOI, or an address where there is none.
PAPERS = {
    ("Ashby", 2021): "10.18653/v1/2021.sigmorphon-1.13",
    ("Ba", 2016): ARXIV + "1607.06450",
    ("Bahdanau", 2015): ARXIV + "1409.0473",
    ("Bai", 2018): ARXIV + "1803.01271",
    ("Bengio", 1994): "10.1109/72.279181",
    ("Bengio", 2015): ARXIV + "1506.03099",
    ("Breiman", 2001): "10.1023/A:1010933404324",
    ("Bridle", 1990): "10.1007/978-3-642-76153-9_28",
    ("Chang", 2017): ARXIV + "1710.02224",
    ("Chen", 2023): ARXIV + "2302.06675",
    ("Cho", 2014): "10.3115/v1/D14-1179",
    ("Collier", 2018): ARXIV + "1807.08518",
    ("Collobert", 2011): JMLR + "v12/collobert11a.html",
    ("Cox", 1958): "10.1111/j.2517-6161.1958.tb00292.x",
    ("Dozat", 2016): "openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
    ("Dubois", 2020): ARXIV + "1911.03872",
    ("Duchi", 2011): JMLR + "v12/duchi11a.html",
    ("Elman", 1990): "10.1207/s15516709cog1402_1",
    ("Fawaz", 2019): "10.1007/s10618-019-00619-1",
    ("Feng", 2024): ARXIV + "2410.01201",
    ("Fisher", 2019): JMLR + "v20/18-760.html",
    ("Gal", 2016): ARXIV + "1512.05287",
    ("Gers", 2000): "10.1162/089976600300015015",
    ("Gneiting", 2007): "10.1198/016214506000001437",
    ("Graves", 2012): ARXIV + "1211.3711",
    ("Graves", 2013): ARXIV + "1308.0850",
    ("Graves", 2014): ARXIV + "1410.5401",
    ("Green", 1990): "10.1109/42.52985",
    ("Hochreiter", 1997): "10.1162/neco.1997.9.8.1735",
    ("Holtzman", 2020): ARXIV + "1904.09751",
    ("Huang", 2015): ARXIV + "1508.01991",
    ("Huber", 1964): "10.1214/aoms/1177703732",
    ("Hyndman", 2006): "10.1016/j.ijforecast.2006.03.001",
    ("Ioffe", 2015): ARXIV + "1502.03167",
    ("Jelinek", 1977): "10.1121/1.2016299",
    ("Karim", 2018): "10.1109/ACCESS.2017.2779939",
    ("Karpathy", 2015): ARXIV + "1506.02078",
    ("Kaufman", 2012): "10.1145/2382577.2382579",
    ("Kim", 2014): "10.3115/v1/D14-1181",
    ("Kingma", 2015): ARXIV + "1412.6980",
    ("Koenker", 1978): "10.2307/1913643",
    ("Lafferty", 2001): "dl.acm.org/doi/10.5555/645530.655813",
    ("Lample", 2016): "10.18653/v1/N16-1030",
    ("Lei", 2018): "10.1080/01621459.2017.1307116",
    ("Leys", 2013): "10.1016/j.jesp.2013.03.013",
    ("Li", 2018): ARXIV + "1803.04831",
    ("Liu", 2016): ARXIV + "1609.01454",
    ("Loshchilov", 2017): ARXIV + "1608.03983",
    ("Loshchilov", 2019): ARXIV + "1711.05101",
    ("Luong", 2015): "10.18653/v1/D15-1166",
    ("Ma", 2016): "10.18653/v1/P16-1101",
    ("Makridakis", 1993): "10.1016/0169-2070(93)90079-3",
    ("Malhotra", 2015): ESANN + "es2015-56.pdf",
    ("Malhotra", 2016): ARXIV + "1607.00148",
    ("McMahan", 2013): "10.1145/2487575.2488200",
    ("Mikolov", 2010): "10.21437/Interspeech.2010-343",
    ("Oord", 2016): ARXIV + "1609.03499",
    ("Park", 2022): ARXIV + "2111.06581",
    ("Pascanu", 2013): ARXIV + "1211.5063",
    ("Peng", 2004): ACL + "N04-1042/",
    ("Press", 2017): ARXIV + "1608.05859",
    ("Ratnaparkhi", 1996): ACL + "W96-0213/",
    ("Robbins", 1951): "10.1214/aoms/1177729586",
    ("Romano", 2019): ARXIV + "1905.03222",
    ("Sang", 2000): ACL + "W00-0726/",
    ("Schuster", 1997): "10.1109/78.650093",
    ("Shazeer", 2018): ARXIV + "1804.04235",
    ("Su", 2021): ARXIV + "2104.09864",
    ("Sutskever", 2014): ARXIV + "1409.3215",
    ("Taieb", 2012): "10.1016/j.eswa.2012.01.039",
    ("Tashman", 2000): "10.1016/S0169-2070(00)00065-0",
    ("Tieleman", 2012): LECTURE,
    ("Tsuboi", 2008): ACL + "C08-1113/",
    ("Vaswani", 2017): ARXIV + "1706.03762",
    ("Viterbi", 1967): "10.1109/TIT.1967.1054010",
    ("Vovk", 2005): "10.1007/b106715",
    ("Williams", 1990): "10.1162/neco.1990.2.4.490",
    ("Wilson", 1931): "10.1073/pnas.17.12.684",
    ("Wu", 2016): ARXIV + "1609.08144",
    ("Xiong", 2020): ARXIV + "2002.04745",
    ("You", 2020): ARXIV + "1904.00962",
    ("Zeiler", 2012): ARXIV + "1212.5701",
}
# Lists of references give first names too, so that their titles are looked for.
TITLES = {
    "A neural probabilistic language model": JMLR + "v3/bengio03a.html",
    "An efficient gradient-based algorithm for on-line training": "Williams 1990",
    "Attention is all you need": "Vaswani 2017",
    "Batch normalization": "Ioffe 2015",
    "Bidirectional recurrent neural networks": "Schuster 1997",
    "Conditional random fields": "Lafferty 2001",
    "DeepAR": "10.1016/j.ijforecast.2019.07.001",
    "A hybrid method of exponential smoothing": "10.1016/j.ijforecast.2019.03.017",
    "Effective approaches to attention-based": "Luong 2015",
    "Error bounds for convolutional codes": "Viterbi 1967",
    "Finding structure in time": "Elman 1990",
    "Generating sequences with recurrent neural networks": "Graves 2013",
    "Google's neural machine translation system": "Wu 2016",
    "Implementing neural Turing machines": "Collier 2018",
    "Independently recurrent neural network": "Li 2018",
    "Initializing new word embeddings": HEWITT,
    "LSTM fully convolutional networks": "Karim 2018",
    "Layer normalization": "Ba 2016",
    "Learning long-term dependencies": "Bengio 1994",
    "Learning phrase representations": "Cho 2014",
    "Learning to forget": "Gers 2000",
    "Location attention for extrapolation": "Dubois 2020",
    "Location-relative attention mechanisms": ARXIV + "1910.10288",
    "Long short-term memory": "Hochreiter 1997",
    "Neural Turing machines": "Graves 2014",
    "Neural machine translation by jointly": "Bahdanau 2015",
    "On layer normalization in the Transformer": "Xiong 2020",
    "Recurrent neural network based language": "Mikolov 2010",
    "RoFormer": "Su 2021",
    "Speech recognition with deep recurrent": "10.1109/ICASSP.2013.6638947",
    "Were RNNs all we needed?": "Feng 2024",
}
_NAME = r"[A-ZÀ-Þ][\w'-]+"
_OTHERS = rf"(?:,\s+{_NAME})*(?:,?\s+(?:&|and)\s+{_NAME})?(?:\s+et\s+al\.)?"
# "Kim (2014)", "Kingma & Ba, 2015", "Sutskever, Vinyals & Le (2014)".
CITATION = re.compile(rf"\b({_NAME}){_OTHERS}(?:,\s+|(\s+\())((?:19|20)\d\d)\b(?(2)\))")
_TITLE = re.compile(
    "|".join(re.escape(title).replace(r"\ ", r"\s+") for title in TITLES)
)
# Not in these: they have links of their own, or are no prose.
_LEFT_ALONE = (
    nodes.reference,
    nodes.title,
    nodes.literal,
    nodes.literal_block,
    nodes.raw,
)


def address(where):
    """Return the full address of a DOI, of a place or of "First 2001" in the table."""
    author, _, year = where.partition(" ")
    where = PAPERS[author, int(year)] if year.isdigit() else where
    return ("https://doi.org/" if where.startswith("10.") else "https://") + where


def links_in(text):
    """Yield start, end and address of each paper that a text cites."""
    for found in CITATION.finditer(text):
        where = PAPERS.get((found[1], int(found[3])))
        if where:
            yield found.start(), found.end(), address(where)


def titles_in(text):
    """Yield start, end and address of each title in a list of references."""
    for found in _TITLE.finditer(text):
        yield (*found.span(), address(TITLES[" ".join(found[0].split())]))


class PaperLinks(SphinxTransform):
    """Link the papers that a page cites."""

    default_priority = 400

    def apply(self, **kwargs):
        for node in [*self.document.findall(nodes.Text)]:
            parents, above = [], node.parent
            while above is not None:
                parents.append(above)
                above = above.parent
            if any(isinstance(each, _LEFT_ALONE) for each in parents):
                continue
            text = node.astext()
            links = [*links_in(text)]
            if not links and re.search(r"(?:19|20)\d\d", parents[0].astext()):
                links = [*titles_in(text)]
            if links:
                node.parent.replace(node, with_links(text, links))


def with_links(text, links):
    """Return the nodes of a text some of whose parts are links."""
    at, found = 0, []
    for start, end, where in sorted(links):
        found += [nodes.Text(text[at:start])] if start > at else []
        found.append(nodes.reference("", text[start:end], refuri=where))
        at = end
    return [*found, nodes.Text(text[at:])] if at < len(text) else found
