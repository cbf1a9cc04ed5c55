using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using ActorTrainer.Model.Common;
using TorchSharp;

namespace ActorTrainer.Bench;

/// <summary>
/// <c>dataplane</c>: how fast payloads reach another process over the data plane and over a plain TCP socket, in turns, and how long a message
/// between the same two processes takes meanwhile.
/// </summary>
public static class DataPlaneBench
{
    private const long RoundBytes = 512L << 20;

    private static readonly int[] SizesMb = [8, 64];

    /// <summary>Measures and prints two Markdown tables.</summary>
    public static async Task Run(Arguments arguments)
    {
        var (rounds, seconds) = (arguments.Number("rounds", 7), arguments.Number("seconds", 5));
        using var child = StartPeer();
        try
        {
            var line = (await child.StandardOutput.ReadLineAsync().ConfigureAwait(false))?.Split(' ')
                ?? throw new RefusedException("The peer process ended before it had started.");
            var raw = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            raw.Connect(IPEndPoint.Parse(line[0]));
            using var sender = new DataPlaneSender(line[1], line[2]);
            Console.WriteLine($"Two processes, loopback, {Environment.ProcessorCount} cores, {rounds} rounds in turns of {RoundBytes >> 20} MiB each; medians [min–max].\n");
            await MeasureSpeed(rounds, raw, sender).ConfigureAwait(false);
            await MeasureHeartbeat(TimeSpan.FromSeconds(seconds), raw, sender).ConfigureAwait(false);
            raw.Dispose();
        }
        finally
        {
            child.Kill();
            await child.WaitForExitAsync().ConfigureAwait(false);
        }
    }

    private static async Task MeasureSpeed(int rounds, Socket raw, DataPlaneSender sender)
    {
        Console.WriteLine("| payload | plain TCP MB/s | data plane MB/s | ratio | managed bytes allocated per byte, sender / receiver |\n|---|---|---|---|---|");
        foreach (var size in SizesMb)
        {
            var buffer = new byte[size << 20];
            using var tensor = torch.rand((size << 20) / 4);
            var count = (int)(RoundBytes / buffer.Length);
            var (plain, plane) = (new List<double>(), new List<double>());
            RawSocket.Send(raw, buffer, count);
            sender.Send(tensor, count);
            var (sent, received) = (GC.GetTotalAllocatedBytes(), await sender.PeerAllocated().ConfigureAwait(false));
            for (var round = 0; round < rounds; round++)
            {
                plain.Add(Rate(() => RawSocket.Send(raw, buffer, count)));
                plane.Add(Rate(() => sender.Send(tensor, count)));
            }

            var moved = (double)RoundBytes * rounds;
            var (tx, rx) = ((GC.GetTotalAllocatedBytes() - sent) / moved, (await sender.PeerAllocated().ConfigureAwait(false) - received) / moved);
            var ratios = plane.Zip(plain, (a, b) => a / b).ToList();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {size} MiB | {Summary(plain, "N0")} | {Summary(plane, "N0")} | **{Statistics.Median(ratios):0.00}** [{ratios.Min():0.00}–{ratios.Max():0.00}] | {tx:0.0000} / {rx:0.0000} |"));
        }

        Console.WriteLine();
    }

    private static async Task MeasureHeartbeat(TimeSpan time, Socket raw, DataPlaneSender sender)
    {
        Console.WriteLine("| meanwhile | round trips | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|");
        await Probe("nothing", sender, time, null).ConfigureAwait(false);
        foreach (var size in SizesMb)
        {
            var buffer = new byte[size << 20];
            using var tensor = torch.rand((size << 20) / 4);
            await Probe($"plain TCP, {size} MiB", sender, time, () => RawSocket.Send(raw, buffer, 4)).ConfigureAwait(false);
            await Probe($"data plane, {size} MiB", sender, time, () => sender.Send(tensor, 4)).ConfigureAwait(false);
        }
    }

    /// <summary>Asks the other process every 20 ms while <paramref name="load"/> runs again and again on a thread of its own.</summary>
    private static async Task Probe(string name, DataPlaneSender sender, TimeSpan time, Action? load)
    {
        using var stop = new CancellationTokenSource();
        var worker = new Thread(() =>
        {
            while (load is not null && !stop.IsCancellationRequested)
            {
                load();
            }
        });
        worker.Start();
        var trips = new List<double>();
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < time;)
        {
            trips.Add(await sender.RoundTrip().ConfigureAwait(false));
            await Task.Delay(20).ConfigureAwait(false);
        }

        await stop.CancelAsync().ConfigureAwait(false);
        worker.Join();
        var sorted = trips.Order().ToList();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {sorted.Count} | {sorted[sorted.Count / 2]:0.0} | {sorted[sorted.Count * 99 / 100]:0.0} | {sorted[^1]:0.0} |"));
    }

    /// <summary>MB/s of one round.</summary>
    private static double Rate(Action send)
    {
        var clock = Stopwatch.StartNew();
        send();
        return RoundBytes / clock.Elapsed.TotalSeconds / 1e6;
    }

    private static string Summary(List<double> values, string format) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Statistics.Median(values).ToString(format, CultureInfo.InvariantCulture)} [{values.Min().ToString(format, CultureInfo.InvariantCulture)}–{values.Max().ToString(format, CultureInfo.InvariantCulture)}]");

    private static Process StartPeer()
    {
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardInput = true };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(Assembly.GetExecutingAssembly().Location);
        }

        start.ArgumentList.Add("dataplane-peer");
        return Process.Start(start)!;
    }
}

/// <summary>What the data plane is compared with: 8 bytes of length, the payload from one reused buffer, one byte back.</summary>
internal static class RawSocket
{
    public static void Send(Socket socket, byte[] buffer, int count)
    {
        Span<byte> head = stackalloc byte[8];
        BitConverter.TryWriteBytes(head, (long)buffer.Length);
        for (var i = 0; i < count; i++)
        {
            socket.Send(head);
            socket.Send(buffer);
            socket.Receive(head[..1]);
        }
    }

    /// <summary>The other side, until the connection ends.</summary>
    public static void Serve(Socket listener)
    {
        using var socket = listener.Accept();
        socket.NoDelay = true;
        var (head, buffer) = (new byte[8], Array.Empty<byte>());
        while (Fill(socket, head))
        {
            var length = (int)BitConverter.ToInt64(head);
            buffer = buffer.Length == length ? buffer : new byte[length];
            Fill(socket, buffer);
            socket.Send(head.AsSpan(0, 1));
        }
    }

    private static bool Fill(Socket socket, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var count = socket.Receive(buffer);
            if (count == 0)
            {
                return false;
            }

            buffer = buffer[count..];
        }

        return true;
    }
}
