import Testing

@testable import TandemEngine

@Suite struct DataURLTests {
    @Test(arguments: [
        ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob"), ("Zm9v\nYmFy", "foobar"),
    ])
    func base64IsDecoded(encoded: String, plain: String) {
        #expect(DataURL.base64(Array(encoded.utf8)) == Array(plain.utf8))
    }

    @Test(arguments: ["%", "%4", "%g0"])
    func brokenPercentSignsAreRefused(text: String) { #expect(DataURL.percentDecoded(text.utf8) == nil) }

    @Test func otherAddressesAreNone() { #expect(DataURL.bytes("http://x/,") == nil) }
}
