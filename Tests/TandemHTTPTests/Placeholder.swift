import TandemHTTP
