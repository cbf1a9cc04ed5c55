using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>An authority that signs the certificates of a cluster's nodes; for trying out, or where no other exists. ECDSA over P-256.</summary>
public sealed class ClusterAuthority : IDisposable
{
    /// <summary>Most characters of a common name (RFC 5280).</summary>
    public const int MaxName = 64;

    private static readonly TimeSpan ClockDifference = TimeSpan.FromDays(1);

    private readonly X509Certificate2 _certificate;
    private readonly ECDsa _key;

    private ClusterAuthority(X509Certificate2 certificate, ECDsa key)
    {
        _certificate = certificate;
        _key = key;
    }

    /// <summary>Its certificate, PEM.</summary>
    public string CertificatePem => _certificate.ExportCertificatePem() + "\n";

    /// <summary>Its private key, PEM, not encrypted.</summary>
    public string KeyPem => _key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>A new authority, valid for ten years.</summary>
    public static ClusterAuthority Create(DateTimeOffset now)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Named($"ActorTrainer cluster {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return new ClusterAuthority(request.CreateSelfSigned(now - ClockDifference, now.AddYears(10)), key);
    }

    /// <summary>An authority made earlier.</summary>
    /// <exception cref="CryptographicException">The texts are no certificate and its key.</exception>
    /// <exception cref="ArgumentException">The key is of another certificate.</exception>
    public static ClusterAuthority FromPem(string certificatePem, string keyPem)
    {
        var certificate = X509Certificate2.CreateFromPem(certificatePem, keyPem);
        return certificate.GetECDsaPrivateKey() is { } key ? new ClusterAuthority(certificate, key) : throw new CryptographicException("expected an EC key");
    }

    /// <summary>A node's new certificate and private key in one PEM, valid for two years, as server and as client.</summary>
    /// <exception cref="RefusedException">The name cannot be one of a node and a file.</exception>
    public string Sign(string node, DateTimeOffset now)
    {
        CheckName(node);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Named(node), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
        if (Uri.CheckHostName(node) == UriHostNameType.Dns)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(node);
            request.CertificateExtensions.Add(names.Build());
        }

        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;

        // A certificate cannot be valid when its authority is not.
        var start = new DateTimeOffset(Math.Max((now - ClockDifference).UtcTicks, _certificate.NotBefore.ToUniversalTime().Ticks), TimeSpan.Zero);
        var end = new DateTimeOffset(Math.Min(now.AddYears(2).UtcTicks, _certificate.NotAfter.ToUniversalTime().Ticks), TimeSpan.Zero);
        using var certificate = request.Create(_certificate, start, end, serial);
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    /// <summary>Whether a text can be the name of a node with a certificate.</summary>
    /// <exception cref="RefusedException">It cannot.</exception>
    public static void CheckName(string node)
    {
        if (node.Length is 0 or > MaxName || node[0] is '.' or '-' || node.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_')))
        {
            throw new RefusedException($"Expected a node name of 1 to {MaxName} letters, digits, '-', '_' or '.', found '{node}'.");
        }
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }

    private static X500DistinguishedName Named(string commonName)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(commonName);
        return builder.Build();
    }
}
