using System.ComponentModel;
using System.Diagnostics;
using System.Net.NetworkInformation;

namespace ActorTrainer.Host.Cluster.Local;

/// <summary>A network of namespaces on this machine, in which links between nodes can be cut. Needs Linux, root and <c>ip</c>.</summary>
internal sealed class NetworkNamespaces : IDisposable
{
    private NetworkNamespaces(NamespacePlan plan) => Plan = plan;

    /// <summary>Names and addresses.</summary>
    public NamespacePlan Plan { get; }

    /// <summary>Makes a network, after removing those of dead processes.</summary>
    /// <param name="count">Nodes.</param>
    /// <param name="reason">Why there is none, for people.</param>
    /// <returns>Null where the machine does not allow it.</returns>
    public static NetworkNamespaces? TryCreate(int count, out string reason)
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
        {
            reason = "network namespaces need Linux and root";
            return null;
        }

        try
        {
            foreach (var command in NamespacePlan.RemoveLeftovers(Ip("netns list").Output, Ip("-o link").Output, process => ProcessIdentity.Of(process) is not null))
            {
                Ip(command);
            }
        }
        catch (Win32Exception e)
        {
            reason = $"network namespaces need the program ip: {e.Message}";
            return null;
        }

        var taken = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(network => network.GetIPProperties().UnicastAddresses).Select(address => address.Address.ToString()).ToList();
        var made = new NetworkNamespaces(new NamespacePlan(Environment.ProcessId, NamespacePlan.FreePrefix(Environment.ProcessId, taken), count));
        foreach (var command in made.Plan.Create())
        {
            if (Ip(command) is { Code: not 0 } failed)
            {
                made.Dispose();
                reason = $"'ip {command}' failed: {failed.Output.Trim()}";
                return null;
            }
        }

        reason = "";
        return made;
    }

    /// <summary>Loses all that two nodes send each other.</summary>
    /// <exception cref="InvalidOperationException">The system refused.</exception>
    public void Cut(int a, int b)
    {
        foreach (var command in Plan.Cut(a, b))
        {
            if (Ip(command) is { Code: not 0 } failed)
            {
                throw new InvalidOperationException($"'ip {command}' failed: {failed.Output.Trim()}");
            }
        }
    }

    /// <summary>Lets them reach each other again; no error when they could.</summary>
    public void Heal(int a, int b) => Each(Plan.Heal(a, b));

    /// <summary>Removes the network; processes in it must have ended.</summary>
    public void Dispose() => Each(Plan.Remove());

    private static void Each(IEnumerable<string> commands)
    {
        foreach (var command in commands)
        {
            Ip(command);
        }
    }

    private static (int Code, string Output) Ip(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", command.Split(' ')) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.GetAwaiter().GetResult());
    }
}
