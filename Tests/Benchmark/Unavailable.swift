/// A row that cannot be measured here: a program is not installed, a kernel does not tell. No failure.
struct Unavailable: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
