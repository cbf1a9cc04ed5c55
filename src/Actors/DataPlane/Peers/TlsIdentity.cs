using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>
/// A node's certificate and the authority of its cluster. Only what the authority has signed is trusted, never the system's authorities;
/// revocation is not checked: to exclude a node, give the others a new authority. A node is who its certificate's common name or a DNS name
/// of its subject alternative names says; addresses do not matter, since nodes move.
/// </summary>
public sealed class TlsIdentity
{
    private readonly SslStreamCertificateContext _context;
    private readonly X509Certificate2Collection _intermediates;

    /// <param name="certificate">This node's, with its private key.</param>
    /// <param name="authorities">Self-signed certificates of the cluster's authority: one, or two while it is being changed.</param>
    /// <param name="intermediates">Certificates between the two; empty when the authority has signed directly.</param>
    public TlsIdentity(X509Certificate2 certificate, X509Certificate2Collection authorities, X509Certificate2Collection? intermediates = null)
    {
        Certificate = certificate;
        Authorities = authorities;
        _intermediates = intermediates ?? [];
        _context = SslStreamCertificateContext.Create(certificate, _intermediates, offline: true);
    }

    /// <summary>This node's certificate with its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Self-signed certificates of the cluster's authority.</summary>
    public X509Certificate2Collection Authorities { get; }

    /// <summary>Node names that a certificate is for: its common name and its DNS names.</summary>
    public static IReadOnlySet<string> NamesOf(X509Certificate2 certificate)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        const string commonName = "2.5.4.3";
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (!part.HasMultipleElements && part.GetSingleElementType().Value == commonName && part.GetSingleElementValue() is { } name)
            {
                names.Add(name);
            }
        }

        foreach (var extension in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>())
        {
            names.UnionWith(extension.EnumerateDnsNames());
        }

        return names;
    }

    /// <summary>Refuses to be a node that the certificate is not for.</summary>
    /// <exception cref="RefusedException">The certificate names others.</exception>
    public void CheckName(string node)
    {
        if (!NamesOf(Certificate).Contains(node))
        {
            throw new RefusedException(
                $"cluster.certificate: expected a certificate with the common name '{node}' (cluster.node), found one for {string.Join(", ", NamesOf(Certificate))}.");
        }
    }

    /// <summary>Why a certificate is not of this cluster, or null when the authority has signed it; for Akka's TLS as well.</summary>
    public string? ComplainAbout(X509Certificate2 certificate)
    {
        using var chain = new X509Chain { ChainPolicy = Policy() };
        return chain.Build(certificate) ? null : Explain(chain);
    }

    /// <summary>TLS as the side that was connected to.</summary>
    /// <returns>The encrypted stream, which owns the one below, and the names of the other side's certificate.</returns>
    /// <exception cref="IOException">The other side has no certificate of this cluster, or does not speak TLS.</exception>
    internal (Stream Stream, IReadOnlySet<string>? Names) SecureListener(Stream stream)
    {
        var complaint = new Complaint();
        return Secure(stream, complaint, ssl => ssl.AuthenticateAsServer(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _context,
            ClientCertificateRequired = true,
            EnabledSslProtocols = SslProtocols.Tls13,
            CertificateChainPolicy = Policy(),
            AllowRenegotiation = false,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = complaint.Check,
        }));
    }

    /// <summary>TLS as the side that connected.</summary>
    /// <returns>The encrypted stream, which owns the one below, and the names of the other side's certificate.</returns>
    /// <exception cref="IOException">The other side has no certificate of this cluster, or does not speak TLS.</exception>
    internal (Stream Stream, IReadOnlySet<string>? Names) SecureCaller(Stream stream)
    {
        var complaint = new Complaint();
        return Secure(stream, complaint, ssl => ssl.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = "",
            ClientCertificateContext = _context,
            EnabledSslProtocols = SslProtocols.Tls13,
            CertificateChainPolicy = Policy(),
            AllowRenegotiation = false,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = complaint.Check,
        }));
    }

    private static (Stream Stream, IReadOnlySet<string>? Names) Secure(Stream stream, Complaint complaint, Action<SslStream> authenticate)
    {
        var ssl = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            authenticate(ssl);
            using var remote = new X509Certificate2(ssl.RemoteCertificate!);
            return (ssl, NamesOf(remote));
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            ssl.Dispose();
            throw new IOException(
                complaint.Text is { } text
                    ? $"not admitted: {text}"
                    : $"TLS failed: {e.Message} Do both nodes use TLS (cluster.tls), with certificates of one authority?", e);
        }
        catch
        {
            ssl.Dispose();
            throw;
        }
    }

    private X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(Authorities);
        policy.ExtraStore.AddRange(_intermediates);
        return policy;
    }

    private static string Explain(X509Chain chain) =>
        "the certificate is not valid in this cluster: " + string.Join("; ", chain.ChainStatus.Select(status => $"{status.Status} ({status.StatusInformation.Trim()})"));

    /// <summary>Decides on the other side's certificate and keeps why, for the message.</summary>
    private sealed class Complaint
    {
        public string? Text { get; private set; }

        public bool Check(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            Text = certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) ? "no certificate was shown"
                : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? Explain(chain!)
                : null;
            return Text is null;
        }
    }
}
