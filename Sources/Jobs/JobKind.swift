/// Who asked for a job: the value of `BOBBIN_KIND`.
package enum JobKind: String, Sendable {
  case scheduled, manual
}
