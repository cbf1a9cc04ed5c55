using System.Net;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Model.Common;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote.Transport.DotNetty;

namespace ActorTrainer.Actors.Nodes;

/// <summary>Makes the actor systems of nodes and clients.</summary>
public static class NodeSystem
{
    /// <summary>The actor system of a node; it has not joined a cluster yet.</summary>
    /// <param name="options">The cluster.</param>
    /// <param name="roles">See <see cref="NodeReport.Role"/>.</param>
    /// <param name="journal">HOCON of journal and snapshot store; empty on nodes without the role of a coordinator.</param>
    /// <param name="logFile">Where warnings go.</param>
    /// <param name="exits">True: the process ends when the node has left or was removed.</param>
    /// <exception cref="RefusedException">The address is not on this machine alone and nothing protects it, or a certificate cannot be used.</exception>
    public static ActorSystem Node(ClusterOptions options, IReadOnlyList<string> roles, Config journal, string logFile, bool exits)
    {
        var config = ConfigurationFactory.ParseString(
            $$"""
            akka {
              actor.provider = cluster
              cluster {
                roles = [{{string.Join(", ", roles.Select(Quote))}}]
                seed-node-timeout = 3s
                retry-unsuccessful-join-after = 1s
                gossip-interval = 300ms
                leader-actions-interval = 300ms
                unreachable-nodes-reaper-interval = 300ms
                failure-detector {
                  heartbeat-interval = 500ms
                  acceptable-heartbeat-pause = 3s
                  expected-response-after = 500ms
                }
                downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
                split-brain-resolver {
                  active-strategy = keep-majority
                  stable-after = 4s
                }
                down-removal-margin = 500ms
                run-coordinated-shutdown-when-down = on
                singleton.hand-over-retry-interval = 300ms
              }
              coordinated-shutdown {
                exit-clr = {{(exits ? "on" : "off")}}
                run-by-clr-shutdown-hook = {{(exits ? "on" : "off")}}
                default-phase-timeout = 3s
                phases {
                  cluster-leave.timeout = 3s
                  cluster-exiting.timeout = 4s
                  cluster-exiting-done.timeout = 2s
                  cluster-shutdown.timeout = 2s
                  cluster-sharding-shutdown-region.timeout = 3s
                  actor-system-terminate.timeout = 5s
                }
              }
            }
            """);
        return Create(options, options.Port, config.WithFallback(journal), logFile);
    }

    /// <summary>The actor system of a client: it reaches nodes, and they answer, without being a member.</summary>
    /// <param name="options">The cluster.</param>
    /// <param name="logFile">Where warnings go; null: nowhere.</param>
    /// <exception cref="RefusedException">As for <see cref="Node"/>.</exception>
    public static ActorSystem Client(ClusterOptions options, string? logFile) =>
        Create(options, 0, ConfigurationFactory.ParseString("akka.actor.provider = remote\nakka.coordinated-shutdown.exit-clr = off"), logFile);

    /// <summary>Refuses an address that strangers can reach when nothing keeps them out.</summary>
    public static void CheckProtected(ClusterOptions options)
    {
        var loopback = options.Address == "localhost" || (IPAddress.TryParse(options.Address, out var ip) && IPAddress.IsLoopback(ip));
        if (!loopback && !options.Tls && !options.Insecure)
        {
            throw new RefusedException(
                $"cluster.address={options.Address} can be reached from other machines and cluster.tls=false: whoever reaches it could run the cluster. "
                + "Set cluster.tls=true with cluster.certificate and cluster.authority, or cluster.insecure=true on a network that is protected otherwise.");
        }
    }

    private static ActorSystem Create(ClusterOptions options, int port, Config own, string? logFile)
    {
        CheckProtected(options);
        var config = own
            .WithFallback(Shared(options, port, logFile))
            .WithFallback(WireSerializer.Config);
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config));
        return ActorSystem.Create(NodeAddress.SystemName, options.Tls ? setup.WithSetup(Tls(options)) : setup);
    }

    /// <summary>
    /// Dead connections are noticed and dialled again within seconds: a process that was killed is back on the same port soon, and a cable
    /// that was out leaves connections that wait for minutes.
    /// </summary>
    private static Config Shared(ClusterOptions options, int port, string? logFile) => ConfigurationFactory.ParseString(
        $$"""
        akka {
          loglevel = {{(logFile is null ? "OFF" : "WARNING")}}
          stdout-loglevel = OFF
          loggers = [{{(logFile is null ? "" : Quote("ActorTrainer.Actors.Telemetry.FileLogger, ActorTrainer.Actors"))}}]
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          remote {
            retry-gate-closed-for = 250ms
            log-remote-lifecycle-events = off
            transport-failure-detector {
              heartbeat-interval = 1s
              acceptable-heartbeat-pause = 5s
            }
            watch-failure-detector {
              heartbeat-interval = 1s
              acceptable-heartbeat-pause = 20s
            }
            dot-netty.tcp {
              hostname = {{Quote(options.Address)}}
              port = {{port}}
              connection-timeout = 2s
              maximum-frame-size = 1000000b
              send-buffer-size = 1000000b
              receive-buffer-size = 1000000b
              enable-ssl = {{(options.Tls ? "on" : "off")}}
            }
          }
        }
        actortrainer.log-file = {{Quote(logFile ?? "")}}
        """);

    /// <summary>Both ends show a certificate of the cluster's authority; which host it names does not matter, nodes may move.</summary>
    private static DotNettySslSetup Tls(ClusterOptions options)
    {
        var identity = NodeSecurity.Identity(options)!;
        return new DotNettySslSetup(
            identity.Certificate,
            suppressValidation: false,
            requireMutualAuthentication: true,
            (shown, _, peer, _, log) =>
            {
                var complaint = shown is null ? "it shows no certificate" : identity.ComplainAbout(shown);
                if (complaint is not null)
                {
                    log.Warning("{0} is not admitted: {1}", peer, complaint);
                }

                return complaint is null;
            });
    }

    private static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
