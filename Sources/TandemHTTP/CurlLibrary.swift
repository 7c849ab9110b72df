internal import CCurl
internal import CTandemSystem
internal import TandemSystem

/// What must be done once in a process before curl is used, and nothing before somebody uses it.
enum CurlLibrary {
    /// Initialises curl when first asked; Swift runs the initializer of a static once, whichever threads ask.
    static let isReady: Bool = {
        // Else OpenSSL frees its state in an exit handler, under threads of ours that still use it.
        libtandem_openssl_no_atexit()
        return curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    }()

    /// One at a time: of two pairs that are made at once neither could be told from one of the host's.
    private static let making = Lock(())

    /// A multi handle whose own socket pair is not inherited by the host's children, as curl 7.88 would have it.
    static func makeMulti() -> UnsafeMutableRawPointer? {
        unsafe making.withLock { _ in
            var before = libtandem_open_fds()
            unsafe libtandem_list_fds(&before)
            guard let multi = unsafe curl_multi_init() else { return nil }
            unsafe libtandem_cloexec_new_pair(&before)
            return unsafe multi
        }
    }
}
