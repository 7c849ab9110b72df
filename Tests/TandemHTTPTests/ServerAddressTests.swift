import TandemHTTP
import Testing

@Suite struct ServerAddressTests {
    @Test(arguments: [
        ("http://127.0.0.1:8080/v1?key=secret", "127.0.0.1:8080"),
        ("https://user:pass@example.org/x", "example.org:443"),
        ("http://[::1]:9/", "[::1]:9"),
        ("http://[::1]", "[::1]:80"),
        ("http://host?x=:@", "host:80"),
        ("host:1/x", "host:1"),
        ("", ":80"),
    ]) func onlyHostAndPortAreShown(url: String, expected: String) {
        #expect(ServerAddress(url: url).description == expected)
    }
}
