internal import Glibc

/// The system's words for an errno.
package func systemErrorText(_ code: Int32) -> String {
    // Its buffer is the calling thread's own (glibc 2.32 and later).
    guard let message = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: message)
}
