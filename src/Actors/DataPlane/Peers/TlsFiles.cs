using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>Certificates from PEM files, checked before a node starts with them.</summary>
public static class TlsFiles
{
    /// <summary>Largest file read, bytes.</summary>
    private const int MaxLength = 1 << 20;

    /// <summary>A node's identity.</summary>
    /// <param name="certificate">PEM file with the node's certificate, then intermediate ones if there are any, and the private key, not encrypted.</param>
    /// <param name="authority">PEM file with the self-signed certificate of the cluster's authority, or several.</param>
    /// <exception cref="RefusedException">A file cannot be read or used, or the authority has not signed the certificate.</exception>
    public static TlsIdentity Load(string certificate, string authority)
    {
        var authorities = Authorities(authority);
        var pem = Read("cluster.certificate", certificate);
        X509Certificate2 own;
        var chain = new X509Certificate2Collection();
        try
        {
            own = X509Certificate2.CreateFromPem(pem, pem);
            chain.ImportFromPem(pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new RefusedException(
                $"cluster.certificate: expected PEM with this node's certificate and its private key, not encrypted, in {certificate}: {e.Message}", e);
        }

        var identity = new TlsIdentity(own, authorities, [.. chain.Skip(1).Where(c => !IsSelfSigned(c))]);
        return identity.ComplainAbout(own) is { } complaint
            ? throw new RefusedException($"cluster.certificate: expected a certificate signed by the authority in {authority}, found in {certificate} one where {complaint}.")
            : identity;
    }

    private static X509Certificate2Collection Authorities(string path)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(Read("cluster.authority", path));
        }
        catch (CryptographicException e)
        {
            throw new RefusedException($"cluster.authority: expected PEM with the certificate of the cluster's authority in {path}: {e.Message}", e);
        }

        return found.Count > 0 && found.All(c => IsSelfSigned(c) && IsAuthority(c))
            ? found
            : throw new RefusedException(
                $"cluster.authority: expected the self-signed certificate of an authority (CA:TRUE) in {path}, found {(found.Count == 0 ? "no certificate" : string.Join("; ", found.Select(c => c.Subject)))}.");
    }

    private static bool IsSelfSigned(X509Certificate2 certificate) => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    private static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(extension => extension.CertificateAuthority);

    private static string Read(string key, string path)
    {
        if (path.Length == 0)
        {
            throw new RefusedException($"{key}: cluster.tls needs a PEM file; 'actortrainer certificates' makes one for trying out.");
        }

        try
        {
            return new FileInfo(path) is { Length: > MaxLength } large
                ? throw new RefusedException($"{key}: expected a PEM file of at most {MaxLength} bytes, found {large.Length} in {path}.")
                : File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException($"{key}: {path} cannot be read: {e.Message}", e);
        }
    }
}
