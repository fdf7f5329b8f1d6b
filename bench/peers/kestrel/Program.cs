// Kestrel (ASP.NET Core) as a peer of the comparison: the echo of its documentation, with a buffer that holds the largest
// message of the comparison, so that each message is echoed as one.
//
//   dotnet Windhover.Peers.Kestrel.dll PORT
//
// /ws echoes, /compressed echoes to clients that offer permessage-deflate. It has nothing to publish with.

using System.Net.WebSockets;

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseUrls($"http://127.0.0.1:{args[0]}");
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
