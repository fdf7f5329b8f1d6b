// .NET's ClientWebSocket against the tool's echo, whose URL is in WINDHOVER_WEBSOCKET_URL. Run through with_tool.mjs,
// which starts the tool and looks at how it ended. With the argument "compression" the tool compresses, and so does the
// client; with "http2" everything is said over HTTP/2 (RFC 8441), in clear text. The names of ASP.NET Core's own middleware tests are kept where the same behaviour is looked at.

using System.Net.WebSockets;
using Windhover.Interop;

(string Name, Func<Task> Run)[] compressionTests =
[
    ("random messages with all contexts and windows of 15", () => Compressed(true, true, 15, 15)),
    ("random messages without a context of the server", () => Compressed(false, true, 15, 15)),
    ("random messages without a context of the client", () => Compressed(true, false, 15, 15)),
    ("random messages without any context", () => Compressed(false, false, 15, 15)),
    ("random messages with a server's window of 9", () => Compressed(true, true, 9, 15)),
    ("random messages with a client's window of 9", () => Compressed(true, true, 15, 9)),
    ("random messages without contexts and with small windows", () => Compressed(false, false, 10, 11)),
    ("messages of 10 MB", CompressionTests.LargeMessages),
    ("fragments", CompressionTests.Fragments),
    ("single messages are not compressed", CompressionTests.DisableCompression),
];

static Task Compressed(bool serverContext, bool clientContext, int serverBits, int clientBits) =>
    CompressionTests.RandomMessages(new WebSocketDeflateOptions
    {
        ServerContextTakeover = serverContext,
        ClientContextTakeover = clientContext,
        ServerMaxWindowBits = serverBits,
        ClientMaxWindowBits = clientBits,
    });

(string Name, Func<Task> Run)[] plainTests =
[
    ("Connect_Success", MessageTests.ConnectSuccess),
    ("NegotiateSubProtocol: the echo selects none", MessageTests.NegotiateSubProtocol),
    ("SendEmptyData", () => MessageTests.Echo(0)),
    ("SendShortData", () => MessageTests.Echo(11)),
    ("SendMediumData", () => MessageTests.Echo(130)),
    ("SendLongData", () => MessageTests.Echo(0x1FFFF)),
    ("messages of 125 bytes", () => MessageTests.Echo(125)),
    ("messages of 126 bytes", () => MessageTests.Echo(126)),
    ("messages of 65535 bytes", () => MessageTests.Echo(65535)),
    ("messages of 65536 bytes", () => MessageTests.Echo(65536)),
    ("messages of 10 MB", () => MessageTests.Echo(10 * 1024 * 1024)),
    ("SendFragmentedData", MessageTests.SendFragmentedData),
    ("10 MB in fragments", MessageTests.ManyFragments),
    ("a thousand messages come back in order", MessageTests.InOrder),
    ("pings are answered", MessageTests.PingIsAnswered),
    ("CloseFromOpen", CloseTests.CloseFromOpen),
    ("SendClose and CloseFromCloseSent", CloseTests.CloseFromCloseSent),
    ("close without a code", CloseTests.CloseWithoutCode),
    ("a receive that is cancelled does not disturb the others", CloseTests.CancelledReceive),
    ("clients that die without a word do not disturb the others", CloseTests.AbruptDeath),
    ("a thousand connections at once each get their own echo", CloseTests.ThousandConnections),
    ("ReceiveClose and CloseFromCloseReceived: a server that stops says going away", CloseTests.ServerStops),
];

Client.OverHttp2 = args is ["http2"];
var tests = args is ["compression"] ? compressionTests : plainTests;
var failed = 0;
foreach (var (name, run) in tests)
{
    try
    {
        await run();
        Console.WriteLine($"ok      {name}");
    }
    catch (Exception exception)
    {
        ++failed;
        Console.WriteLine($"FAILED  {name}\n{exception}");
    }
}
Console.WriteLine($"{tests.Length} tests, {failed} failed");
return failed == 0 ? 0 : 1;
