using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Prometheus;

namespace ActorTrainer.Host.Reports;

/// <summary>
/// Prometheus's text page over HTTP: the instruments of one meter and those of the process (CPU, memory, threads). It answers any Host
/// name, which an <see cref="HttpListener"/> bound to one address would not, and takes nothing but small GET requests.
/// </summary>
public sealed class MetricsPage : IDisposable
{
    /// <summary>Name of the process's meter: begins every metric.</summary>
    public const string MeterName = "ActorTrainer";

    private const int LargestRequest = 8 * 1024;
    private const int MostConnections = 16;

    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();
    private readonly SemaphoreSlim _free = new(MostConnections);
    private readonly CancellationTokenSource _end = new();
    private readonly TcpListener _listener;
    private readonly MeterBridge _bridge;
    private readonly TimeSpan _patience;
    private readonly Task _accepting;

    /// <summary>Starts to listen.</summary>
    /// <param name="address">Address to bind.</param>
    /// <param name="port">Port; 0: any, see <see cref="Endpoint"/>.</param>
    /// <param name="meter">The meter whose instruments are shown.</param>
    /// <param name="patience">Longest time for one request and its answer.</param>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public MetricsPage(IPAddress address, int port, Meter meter, TimeSpan patience)
    {
        _patience = patience;
        _listener = new TcpListener(address, port);
        _listener.Start(); // before anything that would have to be undone
        DotNetStats.Register(_registry);
        _bridge = new MeterBridge(meter, _registry);
        _accepting = Task.Run(Accept);
    }

    /// <summary>Where the page is; its path is /metrics.</summary>
    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _accepting.Wait();
        _bridge.Dispose();
    }

    private async Task Accept()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                await _free.WaitAsync(_end.Token).ConfigureAwait(false);
                _ = Serve(await _listener.AcceptTcpClientAsync(_end.Token).ConfigureAwait(false));
            }
            catch (SocketException) when (!_end.IsCancellationRequested)
            {
                _free.Release(); // the other side went away before it was accepted
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task Serve(TcpClient client)
    {
        try
        {
            using var _ = client;
            using var time = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
            time.CancelAfter(_patience);
            var stream = client.GetStream();
            var (status, body) = await Request(stream, time.Token).ConfigureAwait(false) switch
            {
                ["GET", "/metrics" or "/", _] => ("200 OK", await Page(time.Token).ConfigureAwait(false)),
                ["GET", _, _] => ("404 Not Found", "The page is at /metrics.\n"u8.ToArray()),
                [_, _, _] => ("405 Method Not Allowed", []),
                _ => ("400 Bad Request", Array.Empty<byte>()),
            };
            var head = $"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(head), time.Token).ConfigureAwait(false);
            await stream.WriteAsync(body, time.Token).ConfigureAwait(false);
            client.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Whoever asked has gone, or was too slow.
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>The words of the request's first line; empty when there is no whole request of bearable size.</summary>
    private static async Task<string[]> Request(NetworkStream stream, CancellationToken stop)
    {
        var buffer = new byte[LargestRequest];
        var length = 0;
        while (length < buffer.Length && await stream.ReadAsync(buffer.AsMemory(length), stop).ConfigureAwait(false) is var read && read > 0)
        {
            length += read;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0)
            {
                var line = buffer.AsSpan(0, buffer.AsSpan().IndexOf("\r\n"u8));
                return Encoding.ASCII.GetString(line).Split(' ');
            }
        }

        return [];
    }

    private async Task<byte[]> Page(CancellationToken stop)
    {
        using var page = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(page, stop).ConfigureAwait(false);
        return page.ToArray();
    }
}
