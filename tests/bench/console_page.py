"""console.page: how much the console's page loads, compressed, with all that it may load later."""
import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKED = os.path.join(TOP, "build", "guests", "page")
LIMIT = 250 * 1024


def page_bytes():
    """Of the content; each file's answer has half a KiB of head beside it."""
    files = [os.path.join(PACKED, name) for name in os.listdir(PACKED) if name.endswith(".gz")]
    assert files, "the page was not built"
    return sum(map(os.path.getsize, files))


def measure_page(result):
    result["console.page"] = page_bytes()
