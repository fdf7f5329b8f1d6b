using System.Net.WebSockets;
using System.Text;

namespace Windhover.Interop;

/// <summary>ClientWebSocket with DangerousDeflateOptions, against a tool that was started with --compress.</summary>
internal static class CompressionTests
{
    public static async Task RandomMessages(WebSocketDeflateOptions deflate)
    {
        using var client = await Client.Open(options => options.DangerousDeflateOptions = deflate);
        Assert.True(Agreed(client).StartsWith("permessage-deflate", StringComparison.Ordinal), "compression");
        Assert.Equal(!deflate.ServerContextTakeover, Agreed(client).Contains("server_no_context_takeover"));
        Assert.Equal(!deflate.ClientContextTakeover, Agreed(client).Contains("client_no_context_takeover"));
        var random = new Random(deflate.ClientMaxWindowBits * 100 + deflate.ServerMaxWindowBits);
        var messages = Enumerable.Range(0, 150).Select(_ => Message(random)).ToArray();
        await Task.WhenAll(SendAll(client, messages), ReceiveAll(client, messages));
        await client.Close();
    }

    public static async Task LargeMessages()
    {
        using var client = await Client.Open(options => options.DangerousDeflateOptions = new WebSocketDeflateOptions());
        const int size = 10 * 1024 * 1024;
        await client.AssertEchoes(MessageTests.Binary(size), WebSocketMessageType.Binary);
        await client.AssertEchoes(MessageTests.Text(size), WebSocketMessageType.Text);
        await client.AssertEchoes(new byte[size], WebSocketMessageType.Binary);
        await client.Close();
    }

    public static async Task Fragments()
    {
        using var client = await Client.Open(options => options.DangerousDeflateOptions = new WebSocketDeflateOptions());
        var whole = MessageTests.Text(5000);
        for (var start = 0; start < whole.Length; start += 100)
        {
            await client.Send(whole.AsMemory(start, 100), WebSocketMessageType.Text, start + 100 == whole.Length);
        }
        await client.AssertReceives(whole, WebSocketMessageType.Text);
        await client.Close();
    }

    /// <summary>The client leaves single messages uncompressed.</summary>
    public static async Task DisableCompression()
    {
        using var client = await Client.Open(options => options.DangerousDeflateOptions = new WebSocketDeflateOptions());
        for (var number = 0; number < 20; ++number)
        {
            var data = MessageTests.Text(1000 + number);
            var flags = WebSocketMessageFlags.EndOfMessage |
                (number % 2 == 0 ? WebSocketMessageFlags.DisableCompression : WebSocketMessageFlags.None);
            await Client.Within(token => client.Socket.SendAsync(data, WebSocketMessageType.Text, flags, token).AsTask());
            await client.AssertReceives(data, WebSocketMessageType.Text);
        }
        await client.Close();
    }

    private static string Agreed(Client client) =>
        string.Join(", ", client.Socket.HttpResponseHeaders!
            .Where(header => header.Key.Equals("Sec-WebSocket-Extensions", StringComparison.OrdinalIgnoreCase))
            .SelectMany(header => header.Value));

    private static (WebSocketMessageType Type, byte[] Data) Message(Random random)
    {
        var size = random.Next(4) == 0 ? random.Next(100_000) : random.Next(600);
        return random.Next(3) switch
        {
            0 => (WebSocketMessageType.Binary, MessageTests.Binary(size)),
            1 => (WebSocketMessageType.Text, MessageTests.Text(size)),
            _ => (WebSocketMessageType.Text, Encoding.UTF8.GetBytes(new string('k', size))),
        };
    }

    private static async Task SendAll(Client client, (WebSocketMessageType Type, byte[] Data)[] messages)
    {
        foreach (var (type, data) in messages) await client.Send(data, type);
    }

    private static async Task ReceiveAll(Client client, (WebSocketMessageType Type, byte[] Data)[] messages)
    {
        foreach (var (type, data) in messages) await client.AssertReceives(data, type);
    }
}
