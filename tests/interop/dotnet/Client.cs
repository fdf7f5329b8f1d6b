using System.Net;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;

namespace Windhover.Interop;

/// <summary>One connection to the echo. Every wait has a generous end; nothing is judged by its time.</summary>
internal sealed class Client : IDisposable
{
    private static readonly Uri Url = new(Environment.GetEnvironmentVariable("WINDHOVER_WEBSOCKET_URL")!);
    private static readonly TimeSpan Bound =
        TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable("WINDHOVER_TEST_BOUND") ?? "120"));

    /// <summary>Set once, at the start: the WebSockets of all clients are streams of few connections.</summary>
    public static bool OverHttp2 { get; set; }
    private static readonly HttpMessageInvoker Http2 =
        new(new SocketsHttpHandler { EnableMultipleHttp2Connections = true });

    public ClientWebSocket Socket { get; } = new();

    public static async Task<Client> Open(Action<ClientWebSocketOptions>? configure = null)
    {
        var client = new Client();
        client.Socket.Options.KeepAliveInterval = TimeSpan.Zero;
        client.Socket.Options.CollectHttpResponseDetails = true;
        if (OverHttp2)
        {
            client.Socket.Options.HttpVersion = HttpVersion.Version20;
            client.Socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }
        configure?.Invoke(client.Socket.Options);
        await Within(token => client.Socket.ConnectAsync(Url, OverHttp2 ? Http2 : null, token));
        return client;
    }

    public static async Task Within(
        Func<CancellationToken, Task> wait, [CallerArgumentExpression(nameof(wait))] string what = "")
    {
        using var source = new CancellationTokenSource(Bound);
        try
        {
            await wait(source.Token).WaitAsync(source.Token);
        }
        catch (OperationCanceledException) when (source.IsCancellationRequested)
        {
            throw new TimeoutException($"waited {Bound.TotalSeconds} s for {what}");
        }
    }

    public Task Send(ReadOnlyMemory<byte> data, WebSocketMessageType type, bool endOfMessage = true) =>
        Within(token => Socket.SendAsync(data, type, endOfMessage, token).AsTask());

    public Task Send(string text) => Send(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public async Task<(WebSocketMessageType Type, byte[] Data)> Receive()
    {
        var data = new MemoryStream();
        var buffer = new byte[65536];
        ValueWebSocketReceiveResult result = default;
        do
        {
            await Within(async token => result = await Socket.ReceiveAsync(buffer.AsMemory(), token));
            data.Write(buffer, 0, result.Count);
        } while (!result.EndOfMessage);
        return (result.MessageType, data.ToArray());
    }

    public async Task AssertReceives(byte[] data, WebSocketMessageType type)
    {
        var (echoType, echo) = await Receive();
        Assert.Equal(type, echoType);
        Assert.Equal(data.Length, echo.Length);
        Assert.True(data.AsSpan().SequenceEqual(echo), "an unchanged echo");
    }

    public async Task AssertEchoes(byte[] data, WebSocketMessageType type)
    {
        // Beside each other: a message larger than all buffers on the way is received while it is still being sent.
        await Task.WhenAll(Send(data, type), AssertReceives(data, type));
    }

    public Task AssertEchoes(string text) => AssertEchoes(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public Task Close(WebSocketCloseStatus status = WebSocketCloseStatus.NormalClosure, string? reason = null) =>
        Within(token => Socket.CloseAsync(status, reason, token));

    public void Dispose() => Socket.Dispose();
}

internal static class Assert
{
    public static void True(bool condition, string what)
    {
        if (!condition) throw new InvalidOperationException($"expected: {what}");
    }

    public static void Equal<T>(T expected, T actual, [CallerArgumentExpression(nameof(actual))] string what = "") =>
        True(EqualityComparer<T>.Default.Equals(expected, actual), $"{what} is {expected}, not {actual}");
}
