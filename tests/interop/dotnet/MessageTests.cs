using System.Diagnostics.Tracing;
using System.Net;
using System.Net.WebSockets;
using System.Text;

namespace Windhover.Interop;

internal static class MessageTests
{
    public static async Task ConnectSuccess()
    {
        using var client = await Client.Open();
        Assert.Equal(WebSocketState.Open, client.Socket.State);
        var expected = Client.OverHttp2 ? HttpStatusCode.OK : HttpStatusCode.SwitchingProtocols;
        Assert.Equal(expected, client.Socket.HttpStatusCode);
        await client.Close();
    }

    public static async Task NegotiateSubProtocol()
    {
        using var client = await Client.Open(options =>
        {
            foreach (var protocol in new[] { "alpha", "bravo", "charlie" }) options.AddSubProtocol(protocol);
        });
        Assert.True(string.IsNullOrEmpty(client.Socket.SubProtocol), "no sub-protocol");
        await client.AssertEchoes("without a sub-protocol");
        await client.Close();
    }

    public static async Task Echo(int size)
    {
        using var client = await Client.Open();
        await client.AssertEchoes(Binary(size), WebSocketMessageType.Binary);
        await client.AssertEchoes(Text(size), WebSocketMessageType.Text);
        await client.Close();
    }

    public static async Task SendFragmentedData()
    {
        using var client = await Client.Open();
        var whole = "Hello World"u8.ToArray();
        await client.Send(whole.AsMemory(0, 2), WebSocketMessageType.Binary, endOfMessage: false);
        await client.Send(whole.AsMemory(2, 2), WebSocketMessageType.Binary, endOfMessage: false);
        await client.Send(whole.AsMemory(4, 7), WebSocketMessageType.Binary, endOfMessage: true);
        await client.AssertReceives(whole, WebSocketMessageType.Binary);

        var text = Text(100);
        for (var index = 0; index < text.Length; ++index)
        {
            await client.Send(text.AsMemory(index, 1), WebSocketMessageType.Text, endOfMessage: false);
        }
        await client.Send(Array.Empty<byte>(), WebSocketMessageType.Text, endOfMessage: true);
        await client.AssertReceives(text, WebSocketMessageType.Text);
        await client.Close();
    }

    public static async Task ManyFragments()
    {
        using var client = await Client.Open();
        var whole = Binary(10 * 1024 * 1024);
        const int fragment = 54321;
        for (var start = 0; start < whole.Length; start += fragment)
        {
            var size = Math.Min(fragment, whole.Length - start);
            await client.Send(whole.AsMemory(start, size), WebSocketMessageType.Binary, start + size == whole.Length);
        }
        await client.AssertReceives(whole, WebSocketMessageType.Binary);
        await client.Close();
    }

    public static async Task InOrder()
    {
        using var client = await Client.Open();
        for (var number = 0; number < 1000; ++number) await client.Send($"message {number}");
        for (var number = 0; number < 1000; ++number)
        {
            var (_, data) = await client.Receive();
            Assert.Equal($"message {number}", Encoding.UTF8.GetString(data));
        }
        await client.Close();
    }

    /// <summary>The client's keep-alive sends pings, and tells of each pong that matches one.</summary>
    public static async Task PingIsAnswered()
    {
        using var pongs = new PongListener();
        using var client = await Client.Open(options =>
        {
            options.KeepAliveInterval = TimeSpan.FromMilliseconds(20);
            options.KeepAliveTimeout = TimeSpan.FromMinutes(10);
        });
        var receive = client.Receive();
        await Client.Within(_ => Task.WhenAny(pongs.Third, receive));
        Assert.True(pongs.Third.IsCompleted, "three pongs, and nothing else");
        await client.Send("still open");
        Assert.Equal("still open", Encoding.UTF8.GetString((await receive).Data));
        await client.Close();
    }

    /// <summary>Bytes whose every part can be told from every other.</summary>
    public static byte[] Binary(int size)
    {
        var data = new byte[size];
        new Random(size).NextBytes(data);
        return data;
    }

    /// <summary>Text of so many bytes in UTF-8, with characters of one to four bytes.</summary>
    public static byte[] Text(int size)
    {
        var piece = Encoding.UTF8.GetBytes("kestrel T\u00fcrkenfalke \ud669\uc870\ub871\uc774 \U0001f985 ");
        var data = new byte[size];
        Array.Fill(data, (byte)'.');
        for (var start = 0; start + piece.Length <= size; start += piece.Length) piece.CopyTo(data, start);
        return data;
    }

    private sealed class PongListener : EventListener
    {
        private readonly TaskCompletionSource third = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int count;

        public Task Third => third.Task;

        protected override void OnEventSourceCreated(EventSource source)
        {
            if (source.Name == "Private.InternalDiagnostics.System.Net.WebSockets")
            {
                EnableEvents(source, EventLevel.Verbose);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs written)
        {
            if (written.EventName == "KeepAliveAcked" && Interlocked.Increment(ref count) == 3) third.SetResult();
        }
    }
}
