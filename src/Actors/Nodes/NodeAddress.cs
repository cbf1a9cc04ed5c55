using System.Globalization;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using Akka.Actor;

namespace ActorTrainer.Actors.Nodes;

/// <summary>host:port of people and configuration, and Akka's address of the same process.</summary>
public static class NodeAddress
{
    /// <summary>Name of the actor system of every node and client; a process of another one is not answered.</summary>
    public const string SystemName = "actortrainer";

    /// <summary>Akka's address of host:port.</summary>
    /// <param name="hostPort">As in <c>cluster.seeds</c>.</param>
    /// <param name="tls">Whether messages are encrypted.</param>
    /// <exception cref="RefusedException">Not a host and a port.</exception>
    public static Address Parse(string hostPort, bool tls)
    {
        var colon = hostPort.LastIndexOf(':');
        return colon > 0 && int.TryParse(hostPort[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536
            ? new Address(Protocol(tls), SystemName, hostPort[..colon], port)
            : throw new RefusedException($"cluster.seeds: expected host:port, for example 10.0.0.1:4053; found '{hostPort}'.");
    }

    /// <summary>host:port of an address.</summary>
    public static string Text(Address address) => $"{address.Host}:{address.Port}";

    /// <summary>Path of the agent of the node at this address.</summary>
    public static ActorPath Agent(Address address) => new RootActorPath(address) / "user" / NodeProtocol.AgentName;

    private static string Protocol(bool tls) => tls ? "akka.ssl.tcp" : "akka.tcp";
}
