import Foundation
import TestSupport
import Testing

@Suite("Promise 7: a trigger chooses a channel and nothing else", .alone)
struct Promise7ChannelOnlyTests {
  @Test("A trigger chooses a channel and nothing else, and nothing goes through a shell")
  func nothingButAChannel() throws {
    let instance = try TestInstance(
      channels: #"""
        { id: 1, name: "demo", url: "feed;touch ../../pwned", limit: 7,
          command: ["handlers/show", "$(touch ../pwned)", "{url}", "a b", "", "{limit}{id}", "*"] }
        """#)
    // The argument vector and Bobbin's variables, each on its own line.
    try instance.handler(
      "show", #"printf '<%s>\n' "$@" >../arguments; env | grep BOBBIN_ | LC_ALL=C sort >../environment"#)
    try instance.drop(
      "a $(touch pwned).json",
      #"""
      {"channel_id": 1, "user": "`touch ../pwned`; $(id)", "command": ["/bin/false"], "url": "EVIL",
       "limit": "EVIL", "dir": "/EVIL", "environment": {"EVIL": "1"}, "BOBBIN_URL": "EVIL"}
      """#)
    #expect(try instance.bobbin("run", "--spool-only").status == 0)
    #expect(
      try instance.directory.text("arguments") == """
        <$(touch ../pwned)>
        <feed;touch ../../pwned>
        <a b>
        <>
        <71>
        <*>

        """)
    #expect(
      try instance.directory.text("environment") == """
        BOBBIN_ATTEMPT=1
        BOBBIN_CHANNEL=demo
        BOBBIN_CHANNEL_ID=1
        BOBBIN_DIR=\(instance.directory.path)/library/demo
        BOBBIN_HISTORY_ID=1
        BOBBIN_KIND=manual
        BOBBIN_LIMIT=7
        BOBBIN_RUN=1
        BOBBIN_TRIGGER=a $(touch pwned).json
        BOBBIN_URL=feed;touch ../../pwned
        BOBBIN_USER=`touch ../pwned`; $(id)

        """)
    for place in ["pwned", "etc/pwned", "spool/pwned", "library/pwned", "library/demo/pwned"] {
      #expect(!instance.directory.exists(place))
    }
  }
}
