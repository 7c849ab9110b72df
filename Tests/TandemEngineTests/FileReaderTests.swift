import Glibc
import Testing

@testable import TandemEngine

@Suite struct FileReaderTests {
    private let folder = Folder()
    private let outside = Folder()

    private func read(_ url: String, mime: String = "text/plain") -> FileText {
        let canonical = Path.canonical(folder.path) ?? ""
        return FileReader(directory: canonical, workspace: canonical).read(
            FilePart(mime: mime, name: nil, url: url)
        )
    }

    @Test func textInsideTheWorkspaceIsShown() {
        folder.write("a b.txt", "some text")
        for url in ["a b.txt", "./a b.txt", folder.path + "/a b.txt", "file://\(folder.path)/a%20b.txt"] {
            let file = read(url)
            #expect(file.text.contains("\nsome text\n"))
            #expect(file.flaw == nil)
        }
    }

    @Test func whatLiesOutsideIsNot() {
        outside.write("secret.txt", "hidden words")
        symlink(outside.path + "/secret.txt", folder.path + "/link.txt")
        symlink(outside.path, folder.path + "/away")
        for url in [
            "link.txt", "away/secret.txt", outside.path + "/secret.txt", "../\(outside.path)/secret.txt",
            "file://\(outside.path)/secret.txt", "../../etc/passwd",
        ] {
            let file = read(url)
            #expect(!file.text.contains("hidden words") && !file.text.contains("root:"))
            #expect(file.flaw != nil)
        }
    }

    @Test(arguments: ["nope.txt", ".", "http://127.0.0.1/x", "file:relative", "file:///%zz", "data:nothing"])
    func whatCannotBeReadSaysWhy(url: String) {
        let file = read(url)
        #expect(file.flaw != nil)
        #expect(file.text.hasPrefix("[file mime=text/plain name=unknown url=\(url)]\n"))
    }

    @Test func pipesDoNotBlock() {
        mkfifo(folder.path + "/pipe", 0o600)
        #expect(read("pipe").flaw != nil)
    }

    @Test func binariesAndImagesAreNotShown() {
        folder.write("a.bin", [0x61, 0, 0x62])
        folder.write("latin.txt", [0x61, 0xE4])
        #expect(read("a.bin").flaw == "it is not text")
        #expect(read("latin.txt").flaw == "it is not text")
        #expect(read("a.png", mime: "image/png").flaw != nil)
    }

    @Test func longFilesAreCutBetweenCharacters() {
        let text = String(repeating: "é", count: FileReader.limit)
        folder.write("long.txt", "x" + text)
        let file = read("long.txt")
        #expect(file.flaw == "cut after \(FileReader.limit - 1) bytes")
        #expect(file.text.utf8.count < FileReader.limit + 300)
    }

    @Test func dataURLsAreDecoded() {
        #expect(read("data:text/plain;base64,aGVsbG8=").text.contains("\nhello\n"))
        #expect(read("data:,a%20b").text.contains("\na b\n"))
    }

    @Test func withoutADirectoryNothingIsRead() {
        let file = FileReader(directory: nil, workspace: nil).read(
            FilePart(mime: "text/plain", name: nil, url: "/etc/hostname")
        )
        #expect(file.flaw == "the session works in no directory")
    }
}
