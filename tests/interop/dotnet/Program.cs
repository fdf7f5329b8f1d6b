// .NET's ClientWebSocket against the tool's echo, whose URL is in WINDHOVER_WEBSOCKET_URL. Run through with_tool.mjs,
// which starts the tool and looks at how it ended. The names of ASP.NET Core's own middleware tests are kept where the
// same behaviour is looked at.

using Windhover.Interop;

(string Name, Func<Task> Run)[] tests =
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
