using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.DataPlane.Tcp;

namespace ActorTrainer.Tests.DataPlane;

/// <summary>A node whose receiving end a test plays: each connection is handled by what the test says.</summary>
internal sealed class ScriptedReceiver : IDisposable
{
    private int _connections;

    public ScriptedReceiver(Action<int, FrameReader, FrameWriter, FrameHeader> script)
    {
        Network = new PlainNetwork();
        Network.Serve(PeerPurpose.Payloads, connection =>
        {
            var frames = new FrameReader(connection.Stream);
            try
            {
                if (frames.Next(out var open))
                {
                    frames.Finish();
                    script(Interlocked.Increment(ref _connections), frames, new FrameWriter(connection.Stream), open);
                }
            }
            catch (IOException)
            {
                // The sender has gone.
            }

            connection.Dispose();
        });
        Network.Listen();
    }

    public PlainNetwork Network { get; }

    public string Address => Network.Address;

    public void Dispose() => Network.Dispose();
}
