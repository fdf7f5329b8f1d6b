// Kestrel as a server for the tool's commands that connect. Prints its port, and ends with its standard input. What each
// path does stands in client.test.mjs.

using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;

var bound = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable("WINDHOVER_TEST_BOUND") ?? "120"));
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseUrls("http://127.0.0.1:0");
if (Environment.GetEnvironmentVariable("WINDHOVER_PEER") == "kestrel_http2")
    builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(all => all.Protocols = HttpProtocols.Http2));
var app = builder.Build();
app.UseWebSockets();

async Task<(WebSocketMessageType Type, byte[] Bytes)> Receive(WebSocket socket)
{
    using var patience = new CancellationTokenSource(bound);
    var whole = new MemoryStream();
    var buffer = new byte[65536];
    while (true)
    {
        var piece = await socket.ReceiveAsync(buffer, patience.Token);
        whole.Write(buffer, 0, piece.Count);
        if (piece.EndOfMessage) return (piece.MessageType, whole.ToArray());
    }
}

Task Send(WebSocket socket, byte[] bytes, WebSocketMessageType type, bool end = true) =>
    socket.SendAsync(bytes, type, end, CancellationToken.None);

Task Close(WebSocket socket, int code, string reason) =>
    socket.CloseAsync((WebSocketCloseStatus)code, reason, CancellationToken.None);

// The tool echoes: everything that is sent must come back.
async Task Drive(WebSocket socket)
{
    async Task AssertReceives(byte[] bytes, WebSocketMessageType type)
    {
        var echo = await Receive(socket);
        if (echo.Type != type || !echo.Bytes.AsSpan().SequenceEqual(bytes))
            throw new InvalidOperationException($"an echo of {bytes.Length} is wrong");
    }
    foreach (var size in new[] { 0, 1, 125, 126, 65535, 65536, 10 * 1024 * 1024 })
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        var text = Encoding.ASCII.GetBytes(new string('k', size));
        await Send(socket, bytes, WebSocketMessageType.Binary);
        await AssertReceives(bytes, WebSocketMessageType.Binary);
        await Send(socket, text, WebSocketMessageType.Text);
        await AssertReceives(text, WebSocketMessageType.Text);
    }
    for (var number = 0; number < 1000; ++number)
        await Send(socket, Encoding.UTF8.GetBytes($"message {number}"), WebSocketMessageType.Text);
    for (var number = 0; number < 1000; ++number)
        await AssertReceives(Encoding.UTF8.GetBytes($"message {number}"), WebSocketMessageType.Text);
    foreach (var (piece, end) in new[] { ("Wind", false), ("", false), ("ho", false), ("ver", true) })
        await Send(socket, Encoding.UTF8.GetBytes(piece), WebSocketMessageType.Text, end);
    await AssertReceives("Windhover"u8.ToArray(), WebSocketMessageType.Text);
}

async Task Serve(HttpContext context, WebSocket socket)
{
    switch (context.Request.Path.Value)
    {
        case "/drive":
            try
            {
                await Drive(socket);
            }
            catch (Exception error)
            {
                await Close(socket, 4999, error.Message.Length > 100 ? error.Message[..100] : error.Message);
                return;
            }
            await Close(socket, 1000, "done");
            return;
        case "/echo":
            while (true)
            {
                var (type, bytes) = await Receive(socket);
                if (type == WebSocketMessageType.Close) break;
                await Send(socket, bytes, type);
            }
            await Close(socket, (int)socket.CloseStatus!.Value, socket.CloseStatusDescription!);
            return;
        case "/binary":
            await Send(socket, [0, 0xff, 0x10], WebSocketMessageType.Binary);
            await Close(socket, 1000, "");
            return;
        case "/seen":
            var headers = context.Request.Headers;
            var seen = $"{headers.Origin} {headers["X-Test"]} {context.Request.Path}{context.Request.QueryString}";
            await Send(socket, Encoding.UTF8.GetBytes(seen), WebSocketMessageType.Text);
            await Close(socket, 1000, "");
            return;
        case "/close":
            await Close(socket, 4321, "Gr\u00fc\u00dfe");
            return;
        case "/drop":
            await Send(socket, "speak"u8.ToArray(), WebSocketMessageType.Text);
            await Receive(socket);
            context.Abort();
            return;
    }
}

app.Run(async context =>
{
    if (context.Request.Path == "/refuse")
    {
        context.Response.StatusCode = 401;
        context.Response.Headers.WWWAuthenticate = "Bearer";
        await context.Response.WriteAsync("who are you?");
        return;
    }
    if (context.Request.Path == "/missing" || !context.WebSockets.IsWebSocketRequest)
    {
        context.Response.StatusCode = 404;
        await context.Response.WriteAsync("not here");
        return;
    }
    var offered = context.WebSockets.WebSocketRequestedProtocols;
    using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
    {
        SubProtocol = offered.Contains("bravo") ? "bravo" : null,
        DangerousEnableCompression = true,  // for clients that offer it
    });
    await Serve(context, socket);
});

await app.StartAsync();
Console.WriteLine(new Uri(app.Urls.First()).Port);
Console.In.ReadToEnd();
await app.StopAsync();
