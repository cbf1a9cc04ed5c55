using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Nodes;

/// <summary>Reads what lets a node in: its certificate, its cluster's authority, the cluster's secret.</summary>
public static class NodeSecurity
{
    private const int LongestSecret = 64 << 10;

    /// <summary>Certificates of <c>cluster.certificate</c> and <c>cluster.authority</c>; null without TLS.</summary>
    /// <exception cref="RefusedException">A file cannot be read.</exception>
    public static TlsIdentity? Identity(ClusterOptions options)
    {
        if (!options.Tls)
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(options.Certificate);
            authorities.ImportFromPemFile(options.Authority);
            return authorities.Count > 0
                ? new TlsIdentity(certificate, authorities)
                : throw new RefusedException($"cluster.authority={options.Authority}: expected a PEM file with a certificate, found none in it.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new RefusedException(
                $"cluster.tls=true needs cluster.certificate='{options.Certificate}' (PEM file: this node's certificate and private key) and "
                + $"cluster.authority='{options.Authority}' (PEM file: the certificate of the cluster's authority): {e.Message} "
                + "`actortrainer certificates` makes them for trying out.", e);
        }
    }

    /// <summary>Content of <c>cluster.secret_file</c> without white space around it; null when there is none.</summary>
    /// <exception cref="RefusedException">The file cannot be read, or is empty.</exception>
    public static byte[]? Secret(ClusterOptions options)
    {
        if (options.SecretFile.Length == 0)
        {
            return null;
        }

        try
        {
            if (new FileInfo(options.SecretFile).Length > LongestSecret)
            {
                throw new RefusedException($"cluster.secret_file={options.SecretFile}: expected at most {LongestSecret} bytes.");
            }

            var secret = File.ReadAllBytes(options.SecretFile).AsSpan().Trim(" \t\r\n"u8);
            return secret.Length > 0
                ? secret.ToArray()
                : throw new RefusedException($"cluster.secret_file={options.SecretFile} is empty: expected what every node of the cluster knows and nobody else does.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"cluster.secret_file={options.SecretFile} cannot be read: {e.Message}", e);
        }
    }
}
