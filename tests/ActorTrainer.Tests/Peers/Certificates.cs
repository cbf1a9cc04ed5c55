using System.Security.Cryptography.X509Certificates;
using ActorTrainer.Actors.DataPlane.Peers;

namespace ActorTrainer.Tests.Peers;

/// <summary>Two authorities and what they sign, made once.</summary>
internal static class Certificates
{
    public static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    private static readonly ClusterAuthority Ours = ClusterAuthority.Create(Now.AddYears(-4));
    private static readonly ClusterAuthority Theirs = ClusterAuthority.Create(Now);

    /// <summary>A node of the cluster.</summary>
    public static TlsIdentity Of(string node) => Identity(Ours, Ours, node, Now);

    /// <summary>A node of another cluster, which trusts its own authority.</summary>
    public static TlsIdentity Foreign(string node) => Identity(Theirs, Theirs, node, Now);

    /// <summary>A node of another cluster that takes ours for genuine.</summary>
    public static TlsIdentity Stranger(string node) => Identity(Theirs, Ours, node, Now);

    /// <summary>A node whose certificate has ended.</summary>
    public static TlsIdentity Expired(string node) => Identity(Ours, Ours, node, Now.AddYears(-3));

    private static TlsIdentity Identity(ClusterAuthority signer, ClusterAuthority trusted, string node, DateTimeOffset now)
    {
        var pem = signer.Sign(node, now);
        return new TlsIdentity(X509Certificate2.CreateFromPem(pem, pem), [X509Certificate2.CreateFromPem(trusted.CertificatePem)]);
    }
}
