using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Host.Cli;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Commands;

/// <summary><c>certificates</c>: an authority, a certificate for each node, and a cluster secret.</summary>
internal static class CertificatesCommand
{
    private const string Authority = "authority.pem";
    private const string AuthorityKey = "authority-key.pem";
    private const string Secret = "secret";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Everyone = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Name, words and help.</summary>
    public static CommandDescription Description { get; } = new()
    {
        Name = "certificates",
        Summary = "make certificates and a secret, so that only your nodes can join a cluster",
        Paragraphs =
        [
            """
            Writes an authority (authority.pem, authority-key.pem), NODE.pem with certificate and key for each
            node, and a secret of 32 random bytes. A folder that has an authority already gets the certificates
            of new nodes from it. Nothing is overwritten.
            """,
            """
            A node needs authority.pem, its own NODE.pem and secret; nobody needs authority-key.pem to run.
            The name of a node is its cluster.node.
            """,
        ],
        Options =
        [
            new("out", "folder to write to; made if it is missing", "DIR"),
            new("nodes", "names of the nodes", "[A,B,…]"),
        ],
        Examples =
        [
            new("certificates out=keys nodes=[north,south,east]", "an authority and three nodes"),
            new("certificates out=keys nodes=[west]", "one more node of the same cluster"),
        ],
        TakesConfiguration = false,
        Done = "the files are written",
    };

    /// <summary>Makes the files.</summary>
    public static Task<int> Run(CommandContext context, CancellationToken cancellation) => Task.FromResult(Run(context, DateTimeOffset.UtcNow));

    private static int Run(CommandContext context, DateTimeOffset now)
    {
        var folder = context.Option("out") ?? throw new RefusedException("certificates: out=DIR is missing: the folder to write to.");
        var nodes = Nodes(context.Option("nodes"));
        using var authority = Find(folder) ?? ClusterAuthority.Create(now);
        var files = new List<(string Name, string Text, UnixFileMode Mode)>();
        if (!File.Exists(Path.Combine(folder, Authority)))
        {
            files.Add((AuthorityKey, authority.KeyPem, OwnerOnly));
            files.Add((Authority, authority.CertificatePem, Everyone));
        }

        files.AddRange(nodes.Select(node => (node + ".pem", authority.Sign(node, now), OwnerOnly)));
        if (!File.Exists(Path.Combine(folder, Secret)))
        {
            files.Add((Secret, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)) + "\n", OwnerOnly));
        }

        if (files.Find(file => File.Exists(Path.Combine(folder, file.Name))).Name is { } taken)
        {
            throw new RefusedException($"certificates: {Path.Combine(folder, taken)} exists and is not overwritten; remove it, leave its node out, or choose another folder.");
        }

        foreach (var (name, text, mode) in files)
        {
            Write(Path.Combine(folder, name), text, mode);
            context.Out.WriteLine($"{Path.Combine(folder, name)}{(mode == OwnerOnly ? "  (private)" : "")}");
        }

        context.Out.WriteLine(
            $"""

             On the node {nodes[0]}, with these files beside it and the same on the others:
               cluster.node={nodes[0]} cluster.tls=true cluster.certificate={nodes[0]}.pem cluster.authority={Authority} cluster.secret_file={Secret}
             Keep {AuthorityKey} away from the nodes: whoever has it can make nodes.
             """);
        return App.Done;
    }

    private static List<string> Nodes(string? text)
    {
        var nodes = (text ?? "").Trim('[', ']').Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToList();
        if (nodes.Count == 0)
        {
            throw new RefusedException($"certificates: expected nodes=[A,B,…] with the names of the nodes, found '{text}'.");
        }

        nodes.ForEach(ClusterAuthority.CheckName);
        if (nodes.GroupBy(node => node).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new RefusedException($"certificates: {twice.Key} is named twice; every node has a name of its own.");
        }

        return nodes.Find(node => node + ".pem" is Authority or AuthorityKey) is { } reserved
            ? throw new RefusedException($"certificates: a node cannot be called {reserved}: {reserved}.pem is a file of the authority.")
            : nodes;
    }

    /// <summary>The authority of a folder, or null when it has none.</summary>
    private static ClusterAuthority? Find(string folder)
    {
        var (certificate, key) = (Path.Combine(folder, Authority), Path.Combine(folder, AuthorityKey));
        if (!File.Exists(certificate) && !File.Exists(key))
        {
            return null;
        }

        try
        {
            return ClusterAuthority.FromPem(File.ReadAllText(certificate), File.ReadAllText(key));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"certificates: expected an authority in {certificate} and its key in {key}, or neither file: {e.Message}", e);
        }
    }

    /// <summary>A file that is never readable by others, not even while it is written.</summary>
    private static void Write(string path, string text, UnixFileMode mode) => AtomicFile.Write(path, stream =>
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(stream.SafeFileHandle, mode);
        }

        stream.Write(Encoding.UTF8.GetBytes(text));
    });
}
