import TandemJSON
