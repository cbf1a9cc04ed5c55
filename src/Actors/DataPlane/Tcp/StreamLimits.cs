using System.Net.Sockets;

namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>Time-outs of a connection's reads and writes.</summary>
internal static class StreamLimits
{
    /// <summary>Sets time-outs where the stream has any; null: for ever.</summary>
    /// <exception cref="IOException">The connection was closed.</exception>
    public static void Set(Stream stream, TimeSpan? read, TimeSpan? write)
    {
        if (!stream.CanTimeout)
        {
            return;
        }

        try
        {
            stream.ReadTimeout = Milliseconds(read);
            stream.WriteTimeout = Milliseconds(write);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException("The connection was closed.", e);
        }
    }

    private static int Milliseconds(TimeSpan? time) =>
        time is { } limit ? (int)Math.Clamp(limit.TotalMilliseconds, 1, int.MaxValue) : Timeout.Infinite;
}
