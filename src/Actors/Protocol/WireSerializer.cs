using System.Collections.Frozen;
using ActorTrainer.Actors.Coordination;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;
using MessagePack;
using MessagePack.Resolvers;

namespace ActorTrainer.Actors.Protocol;

/// <summary>
/// Writes every <see cref="IWire"/> type as MessagePack under a short manifest with a version. The table below is the whole
/// set: a type name from the wire is never instantiated. Append to it, never change an entry: manifests are in journals.
/// </summary>
public sealed class WireSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private static readonly MessagePackSerializerOptions Options =
        MessagePackSerializerOptions.Standard.WithResolver(StandardResolver.Instance).WithSecurity(MessagePackSecurity.UntrustedData);

    private static readonly (string Manifest, Type Type)[] Table =
    [
        ("sp1", typeof(StageProtocol.Prepare)),
        ("sr1", typeof(StageProtocol.Ready)),
        ("ss1", typeof(StageProtocol.RunStep)),
        ("sg1", typeof(StageProtocol.GradientsReady)),
        ("su1", typeof(StageProtocol.Update)),
        ("sd1", typeof(StageProtocol.StepDone)),
        ("sv1", typeof(StageProtocol.Save)),
        ("sw1", typeof(StageProtocol.Saved)),
        ("sf1", typeof(StageProtocol.Failed)),
        ("sa1", typeof(StageProtocol.Waiting)),
        ("sq1", typeof(StageProtocol.AskStatus)),
        ("st1", typeof(StageProtocol.Status)),
        ("rs1", typeof(RunProtocol.Start)),
        ("rt1", typeof(RunProtocol.Stop)),
        ("ro1", typeof(RunProtocol.Outcome)),
        ("ec1", typeof(RunEvents.Created)),
        ("ea1", typeof(RunEvents.AttemptStarted)),
        ("es1", typeof(RunEvents.StepRecorded)),
        ("ek1", typeof(RunEvents.Committed)),
        ("ed1", typeof(RunEvents.Completed)),
        ("ef1", typeof(RunEvents.Failed)),
        ("bd1", typeof(DealerProtocol.Deal)),
        ("rx1", typeof(RunState)),
        ("sl1", typeof(StageProtocol.LinkDown)),
        ("na1", typeof(NodeProtocol.Announce)),
        ("nb1", typeof(NodeProtocol.Beat)),
        ("ne1", typeof(NodeProtocol.Engage)),
        ("nd1", typeof(NodeProtocol.Engaged)),
        ("nk1", typeof(NodeProtocol.Keep)),
        ("cs1", typeof(ClientProtocol.Submit)),
        ("cr1", typeof(ClientProtocol.SubmitReply)),
        ("cw1", typeof(ClientProtocol.Watch)),
        ("ct1", typeof(ClientProtocol.Stop)),
        ("cq1", typeof(ClientProtocol.AskStatus)),
        ("ca1", typeof(ClientProtocol.Status)),
        ("cn1", typeof(ClientProtocol.Notice)),
        ("cb1", typeof(ClientProtocol.Attempt)),
        ("cp1", typeof(ClientProtocol.Step)),
        ("ce1", typeof(ClientProtocol.Evaluation)),
        ("cx1", typeof(ClientProtocol.Spans)),
        ("cd1", typeof(ClientProtocol.Digest)),
        ("ck1", typeof(ClientProtocol.Checkpoint)),
        ("co1", typeof(ClientProtocol.Ended)),
        ("cm1", typeof(ClientProtocol.Commit)),
        ("np1", typeof(NodeProtocol.Probe)),
        ("cg1", typeof(ClientProtocol.Watching)),
        ("kt1", typeof(ClusterEvents.TookOver)),
        ("ks1", typeof(ClusterEvents.Submitted)),
        ("ke1", typeof(ClusterEvents.Ended)),
        ("kk1", typeof(ClusterEvents.Kept)),
        ("ve1", typeof(EvaluationProtocol.Evaluate)),
        ("vw1", typeof(EvaluationProtocol.Want)),
        ("va1", typeof(EvaluationProtocol.Assign)),
        ("vs1", typeof(EvaluationProtocol.Scored)),
        ("vj1", typeof(EvaluationProtocol.JobFailed)),
        ("vd1", typeof(EvaluationProtocol.Evaluated)),
        ("vf1", typeof(EvaluationProtocol.Failed)),
        ("vp1", typeof(EvaluationProtocol.Superseded)),
    ];

    private static readonly FrozenDictionary<string, Type> Types = Table.ToFrozenDictionary(e => e.Manifest, e => e.Type);

    private static readonly FrozenDictionary<Type, string> Manifests = Table.ToFrozenDictionary(e => e.Type, e => e.Manifest);

    /// <summary>Every type that may cross a process border.</summary>
    public static IEnumerable<Type> KnownTypes => Types.Values;

    /// <summary>HOCON that binds <see cref="IWire"/> to this serializer.</summary>
    public static Config Config { get; } = ConfigurationFactory.ParseString(
        """
        akka.actor {
          serializers.actortrainer = "ActorTrainer.Actors.Protocol.WireSerializer, ActorTrainer.Actors"
          serialization-bindings { "ActorTrainer.Actors.Protocol.IWire, ActorTrainer.Actors" = actortrainer }
        }
        """);

    /// <summary>Stored in journals: never change.</summary>
    public override int Identifier => 2174;

    /// <inheritdoc/>
    public override string Manifest(object o) => Manifests.TryGetValue(o.GetType(), out var manifest)
        ? manifest
        : throw new ArgumentException($"{o.GetType()} is not in the serializer's table; add it there with a manifest of its own.");

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => MessagePackSerializer.Serialize(obj.GetType(), obj, Options);

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, string manifest) => Types.TryGetValue(manifest, out var type)
        ? MessagePackSerializer.Deserialize(type, bytes, Options)!
        : throw new ArgumentException($"Manifest '{manifest}' is unknown to this version; known are {string.Join(", ", Types.Keys.Order())}.");
}
