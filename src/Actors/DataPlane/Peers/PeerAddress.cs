using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>host:port texts and what they stand for.</summary>
public static class PeerAddress
{
    /// <summary>host:port; an IPv6 address in brackets.</summary>
    public static string Format(string host, int port) =>
        host.Contains(':') && !host.StartsWith('[') ? $"[{host}]:{port}" : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");

    /// <summary>Host (without brackets) and port.</summary>
    /// <exception cref="RefusedException">It is no host:port.</exception>
    public static (string Host, int Port) Parse(string address)
    {
        var colon = address.LastIndexOf(':');
        if (colon <= 0
            || !int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > 65535)
        {
            throw new RefusedException($"Expected an address host:port with a port of 1 to 65535, found '{address}'.");
        }

        return (address[..colon].TrimStart('[').TrimEnd(']'), port);
    }

    /// <summary>IP addresses of a host, IPv4 first.</summary>
    /// <exception cref="IOException">There is none.</exception>
    public static IReadOnlyList<IPAddress> Resolve(string host)
    {
        if (IPAddress.TryParse(host, out var address))
        {
            return [address];
        }

        try
        {
            var found = Dns.GetHostAddresses(host);
            return found.Length > 0
                ? [.. found.OrderBy(a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)]
                : throw new IOException($"The host '{host}' has no address.");
        }
        catch (SocketException e)
        {
            throw new IOException($"The host '{host}' has no known address: {e.Message}", e);
        }
    }

    /// <summary>A socket bound to an explicit address; not listening yet.</summary>
    /// <exception cref="RefusedException">The address is a wildcard, not of this machine, or the port is taken.</exception>
    public static Socket Bind(string host, int port)
    {
        IPAddress address;
        try
        {
            address = Resolve(host)[0];
        }
        catch (IOException e)
        {
            throw new RefusedException($"cluster.address: expected an address of this machine, found '{host}': {e.Message}", e);
        }

        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
        {
            throw new RefusedException($"cluster.address: expected the address under which other nodes reach this one, found the wildcard '{host}'.");
        }

        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new RefusedException(
                $"The data plane cannot use {Format(host, port)}: {e.Message}. Choose an address of this machine (cluster.address) and a free port (cluster.data_port; 0: any).", e);
        }
    }
}
