namespace ActorTrainer.Host.Cluster;

/// <summary>What a command says of a run that a cluster has; texts without name and full stop.</summary>
/// <param name="Begun">Once the cluster has it.</param>
/// <param name="Left">Once the command was interrupted; what ends the run is said behind it.</param>
internal sealed record ClusterRunWords(string Begun, string Left);
