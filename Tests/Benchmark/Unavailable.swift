/// A row cannot be measured here, because a program is not installed or the kernel does not provide a figure. This is
/// not a failure.
struct Unavailable: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
