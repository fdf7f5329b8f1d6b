using System.Diagnostics;
using System.Net.WebSockets;
using System.Runtime.InteropServices;

namespace Windhover.Interop;

internal static class CloseTests
{
    private static readonly (int Code, string? Reason)[] Closes =
        [(1000, "done"), (1000, null), (1001, "going"), (3000, "library"), (4999, "application")];

    public static async Task CloseFromOpen()
    {
        foreach (var (code, reason) in Closes)
        {
            using var client = await Client.Open();
            await client.Close((WebSocketCloseStatus)code, reason);
            AssertClosed(client, code, reason);
        }
    }

    public static async Task CloseFromCloseSent()
    {
        foreach (var (code, reason) in Closes)
        {
            using var client = await Client.Open();
            await Client.Within(token => client.Socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, token));
            Assert.Equal(WebSocketState.CloseSent, client.Socket.State);
            await client.Close((WebSocketCloseStatus)code, reason);
            AssertClosed(client, code, reason);
        }
    }

    public static async Task CloseWithoutCode()
    {
        // .NET sends 1005 for "empty", which must not be on the wire (RFC 6455 section 7.4.1): a protocol error.
        using var client = await Client.Open();
        await client.Close(WebSocketCloseStatus.Empty);
        Assert.Equal(WebSocketCloseStatus.ProtocolError, client.Socket.CloseStatus);
    }

    public static async Task CancelledReceive()
    {
        using var other = await Client.Open();
        using var client = await Client.Open();
        using var source = new CancellationTokenSource();
        var receive = client.Socket.ReceiveAsync(new byte[16], source.Token);
        source.Cancel();
        try
        {
            await receive;
            Assert.True(false, "a cancelled receive");
        }
        catch (OperationCanceledException)
        {
            Assert.Equal(WebSocketState.Aborted, client.Socket.State);
        }
        await other.AssertEchoes("still served");
        await other.Close();
    }

    public static async Task AbruptDeath()
    {
        using var survivor = await Client.Open();
        var dying = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Client.Open()));
        for (var index = 0; index < dying.Length; ++index)
        {
            var text = MessageTests.Text(index * 1000);
            await dying[index].Send(text, WebSocketMessageType.Text, endOfMessage: index % 3 != 0);
            dying[index].Socket.Abort();
        }
        await survivor.AssertEchoes("still served");
        using var newcomer = await Client.Open();
        await newcomer.AssertEchoes("served as well");
        await newcomer.Close();
        await survivor.Close();
    }

    public static async Task ThousandConnections()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Client.Open()));
        await Task.WhenAll(clients.Select((client, number) => client.Send($"client {number}")));
        await Task.WhenAll(clients.Select((client, number) => client.AssertReceives(
            System.Text.Encoding.UTF8.GetBytes($"client {number}"), WebSocketMessageType.Text)));
        await Task.WhenAll(clients.Select(client => client.Close(WebSocketCloseStatus.NormalClosure, "done")));
        foreach (var client in clients)
        {
            AssertClosed(client, 1000, "done");
            client.Dispose();
        }
    }

    public static async Task ServerStops()
    {
        const int sigterm = 15;
        using var client = await Client.Open();
        await client.AssertEchoes("before the end");
        using var server = Process.GetProcessById(int.Parse(Environment.GetEnvironmentVariable("WINDHOVER_PID")!));
        Assert.Equal(0, Kill(server.Id, sigterm));
        var (type, data) = await client.Receive();
        Assert.Equal(WebSocketMessageType.Close, type);
        Assert.Equal(0, data.Length);
        Assert.Equal(WebSocketState.CloseReceived, client.Socket.State);
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, client.Socket.CloseStatus);
        await client.Close(WebSocketCloseStatus.EndpointUnavailable);
        Assert.Equal(WebSocketState.Closed, client.Socket.State);
        // A second signal, from whoever started the server, would end it before it has stopped.
        Assert.True(server.WaitForExit(TimeSpan.FromSeconds(20)), "the server ends");
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);

    private static void AssertClosed(Client client, int code, string? reason)
    {
        Assert.Equal(WebSocketState.Closed, client.Socket.State);
        Assert.Equal(code, (int?)client.Socket.CloseStatus ?? 0);
        Assert.Equal(reason ?? "", client.Socket.CloseStatusDescription ?? "");
    }
}
