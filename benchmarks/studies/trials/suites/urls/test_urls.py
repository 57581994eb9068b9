import urls

ADDRESSES = [f"HTTP://www.Example{number}.org:80/a/./b/../c%20{number}/é?b={number}&a=x+y#top" for number in range(40)]
PATH = "/größe/straße und weg/" * 30
QUERY = "&".join(f"name{number}=value+of+%C3%A9+{number}" for number in range(100))


def test_split(benchmark):
    parts = benchmark(lambda: [urls.split(address) for address in ADDRESSES])
    assert parts[3] == ("http", "www.example3.org:80", "/a/./b/../c%203/é", "b=3&a=x+y", "top")


def test_unsplit(benchmark):
    parts = [urls.split(address) for address in ADDRESSES]
    assert benchmark(lambda: [urls.unsplit(part) for part in parts])[0].startswith("http://www.example0.org")


def test_quote(benchmark):
    assert benchmark(urls.quote, PATH).startswith("/gr%C3%B6%C3%9Fe/")


def test_unquote(benchmark):
    assert benchmark(urls.unquote, urls.quote(PATH)) == PATH


def test_parse_query(benchmark):
    assert benchmark(urls.parse_query, QUERY)["name7"] == ["value of é 7"]


def test_normalize(benchmark):
    found = benchmark(lambda: [urls.normalize(address) for address in ADDRESSES])
    assert found[1] == "http://www.example1.org/a/c%201/%C3%A9?a=x+y&b=1#top"
