/// Where a value stands in the configuration: the keys and indices that lead to it.
package struct ValuePath: Equatable, Sendable {
  package enum Step: Equatable, Sendable {
    case key(String)
    case index(Int)
  }

  package private(set) var steps: [Step] = []

  package init() {}

  private init(steps: [Step]) { self.steps = steps }

  package func appending(_ key: String) -> ValuePath { ValuePath(steps: steps + [.key(key)]) }

  package func appending(_ index: Int) -> ValuePath { ValuePath(steps: steps + [.index(index)]) }
}
