using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Tcp;

namespace ActorTrainer.Tests.DataPlane;

/// <summary>A node as far as the data plane goes.</summary>
internal sealed class PlaneNode : IDisposable
{
    public PlaneNode(IPayloadReader reader, TcpDataPlaneOptions? options = null, string address = "")
    {
        Network = new PlainNetwork(address);
        Plane = new TcpDataPlane(Network, reader, options ?? new TcpDataPlaneOptions());
        Network.Listen();
    }

    public PlainNetwork Network { get; }

    public TcpDataPlane Plane { get; }

    public string Address => Network.Address;

    /// <summary>Ends without a word, as a killed process does.</summary>
    public void Kill() => Network.Dispose();

    public void Dispose()
    {
        Plane.Dispose();
        Network.Dispose();
    }
}
