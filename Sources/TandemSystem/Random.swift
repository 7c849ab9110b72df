internal import CTandemSystem

/// Random numbers and identifiers; from a seed they are the same each time.
package final class Random: Sendable {
    private let state: Lock<(UInt64, UInt64, UInt64, UInt64)>

    /// A generator that starts from the system's randomness.
    package convenience init() {
        self.init(seed: libtandem_random_seed() ^ Deadline.now)
    }

    package init(seed: UInt64) {
        // splitmix64 spreads a small seed over the whole state, as the authors of xoshiro256** ask
        // (https://prng.di.unimi.it/).
        var x = seed
        func next() -> UInt64 {
            x &+= 0x9E37_79B9_7F4A_7C15
            var z = x
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        state = Lock((next(), next(), next(), next()))
    }

    package func next() -> UInt64 {
        state.withLock { s in
            func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 { (value << count) | (value >> (64 - count)) }
            let result = rotate(s.1 &* 5, 7) &* 9
            let t = s.1 << 17
            s.2 ^= s.0
            s.3 ^= s.1
            s.1 ^= s.2
            s.0 ^= s.3
            s.2 ^= t
            s.3 = rotate(s.3, 45)
            return result
        }
    }

    /// A version 4 UUID in lower case (RFC 9562 section 5.4).
    package func uuid() -> String {
        let high = (next() & ~0xF000) | 0x4000
        let low = (next() & ~(0b11 << 62)) | (0b10 << 62)
        let digits = StaticHex.digits
        return unsafe String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            func put(_ value: UInt64, from shift: Int, count: Int) {
                for index in 0..<count {
                    unsafe buffer[position] = digits[Int((value >> UInt64(shift - index * 4)) & 0xF)]
                    position += 1
                }
            }
            func dash() {
                unsafe buffer[position] = UInt8(ascii: "-")
                position += 1
            }
            put(high, from: 60, count: 8)
            dash()
            put(high, from: 28, count: 4)
            dash()
            put(high, from: 12, count: 4)
            dash()
            put(low, from: 60, count: 4)
            dash()
            put(low, from: 44, count: 12)
            return position
        }
    }
}

private enum StaticHex {
    static let digits: [UInt8] = Array("0123456789abcdef".utf8)
}
