using Akka.Event;
using Akka.Remote.Transport.DotNetty;

namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>The same certificates for Akka's remoting.</summary>
public static class AkkaTls
{
    /// <summary>
    /// Setup for an actor system whose HOCON has <c>akka.remote.dot-netty.tcp.enable-ssl = on</c>: both sides show a certificate, and only
    /// those of the cluster's authority are trusted.
    /// </summary>
    public static DotNettySslSetup ToAkka(this TlsIdentity identity) => new(
        identity.Certificate,
        suppressValidation: false,
        requireMutualAuthentication: true,
        customValidator: (certificate, _, peer, _, log) =>
        {
            var complaint = certificate is null ? "no certificate was shown" : identity.ComplainAbout(certificate);
            if (complaint is not null)
            {
                log.Warning("{0} was not admitted: {1}", peer, complaint);
            }

            return complaint is null;
        });
}
