// Kestrel (ASP.NET Core) as a peer of the comparison: the echo of its documentation, with a buffer that holds the largest
// message of the comparison, so that each message is echoed as one.
//
//   dotnet Windhover.Peers.Kestrel.dll PORT [CERTIFICATE KEY]
//
// /ws echoes, /compressed echoes to clients that offer permessage-deflate. It has nothing to publish with.
// With a certificate everything is over TLS, by HTTP/1.1 or HTTP/2, which its WebSockets share; OpenSSL below it prefers
// 256 bits unless it is told that 128 will do, which is what the others agree on.

using System.Net;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseKestrelHttpsConfiguration();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, int.Parse(args[0]), listening =>
{
    if (args.Length < 3)
    {
        return;
    }
    var policy = new CipherSuitesPolicy([TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384]);
    listening.Protocols = HttpProtocols.Http1AndHttp2;
    listening.UseHttps(https =>
    {
        https.ServerCertificate = X509Certificate2.CreateFromPemFile(args[1], args[2]);
        https.OnAuthenticate = (_, agreeing) => agreeing.CipherSuitesPolicy = policy;
    });
}));
var app = builder.Build();
app.UseWebSockets();

static async Task Echo(WebSocket socket)
{
    var buffer = new byte[64 * 1024];
    var received = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), CancellationToken.None);
    while (!received.CloseStatus.HasValue)
    {
        await socket.SendAsync(new ArraySegment<byte>(buffer, 0, received.Count), received.MessageType,
                               received.EndOfMessage, CancellationToken.None);
        received = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), CancellationToken.None);
    }
    await socket.CloseAsync(received.CloseStatus.Value, received.CloseStatusDescription, CancellationToken.None);
}

app.Run(async context =>
{
    var path = context.Request.Path.Value;
    if (!context.WebSockets.IsWebSocketRequest || (path != "/ws" && path != "/compressed"))
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return;
    }
    using var socket = await context.WebSockets.AcceptWebSocketAsync(
        new WebSocketAcceptContext { DangerousEnableCompression = path == "/compressed" });
    try
    {
        await Echo(socket);
    }
    catch (WebSocketException)
    {
        // The client has gone.
    }
});
app.Run();
