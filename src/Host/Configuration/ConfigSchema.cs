using ActorTrainer.Actors;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.He.Parameters;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using ActorTrainer.Model.Optimisation;

namespace ActorTrainer.Host.Configuration;

/// <summary>Every key that exists, in the order of reference.conf, with its allowed values and the property it sets.</summary>
public static class ConfigSchema
{
    private const int Many = 1 << 20;

    /// <summary>All keys.</summary>
    public static IReadOnlyList<ConfigKey> Keys { get; } =
    [
        Run("name", new TextType("letters, digits, '.', '_', '-'; starts with a letter or digit; at most 100", false, @"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z"), nameof(RunConfiguration.Name)),
        Run("base_dir", new TextType("text, not empty", false), nameof(RunConfiguration.BaseDir)),
        Run("seed", new SeedType(), nameof(RunConfiguration.Seed)),

        Arch("layers", new WholeType(1, 1024), nameof(BertConfig.Layers)),
        Arch("hidden", new WholeType(2, 65536), nameof(BertConfig.Hidden)),
        Arch("heads", new WholeType(1, 1024), nameof(BertConfig.Heads)),
        Arch("feed_forward", new WholeType(2, Many), nameof(BertConfig.FeedForward)),
        new("arch.vocabulary", new WholeType(16, Many), [new(typeof(BertConfig), nameof(BertConfig.Vocabulary)), new(typeof(DataOptions), nameof(DataOptions.Vocabulary))]),
        new("arch.sequence", new WholeType(2, 8192), [new(typeof(BertConfig), nameof(BertConfig.Sequence)), new(typeof(DataOptions), nameof(DataOptions.Sequence))]),
        Arch("attention", Words(("softmax", AttentionKind.Softmax), ("gaussian-kernel", AttentionKind.GaussianKernel)), nameof(BertConfig.Attention)),
        Arch("activation", Words(("gelu", GateActivation.Gelu), ("relu", GateActivation.Relu)), nameof(BertConfig.Activation)),
        Arch("fused_qkv", new SwitchType(), nameof(BertConfig.FusedQkv)),
        Arch("dropout", new NumberType(0, 1, MaxOpen: true), nameof(BertConfig.Dropout)),
        Arch("layer_norm_eps", new NumberType(0, 0.1, MinOpen: true), nameof(BertConfig.LayerNormEps)),
        Arch("init_std", new NumberType(0, 1, MinOpen: true), nameof(BertConfig.InitStd)),
        Arch("position_scale", new NumberType(0, 10), nameof(BertConfig.PositionScale)),
        Arch("learn_position_scale", new SwitchType(), nameof(BertConfig.LearnPositionScale)),
        Arch("key_starts_as_query", new SwitchType(), nameof(BertConfig.KeyStartsAsQuery)),

        Optim("lr", new NumberType(0, 10), nameof(AdamWOptions.LearningRate)),
        Optim("beta1", new NumberType(0, 1, MaxOpen: true), nameof(AdamWOptions.Beta1)),
        Optim("beta2", new NumberType(0, 1, MaxOpen: true), nameof(AdamWOptions.Beta2)),
        Optim("eps", new NumberType(0, 10, MinOpen: true), nameof(AdamWOptions.Eps)),
        Optim("eps_inside_root", new SwitchType(), nameof(AdamWOptions.EpsInsideRoot)),
        Optim("weight_decay", new NumberType(0, 10), nameof(AdamWOptions.WeightDecay)),

        Train("clip", new NumberType(0), nameof(TrainOptions.Clip)),
        Train("budget.unit", Words(("steps", BudgetUnit.Steps), ("tokens", BudgetUnit.Tokens), ("hours", BudgetUnit.Hours)), nameof(TrainOptions.BudgetUnit)),
        Train("budget.amount", new NumberType(0, MinOpen: true), nameof(TrainOptions.Budget)),
        Train("schedule", Words(("budget-triangle2", LearningRateSchedule.BudgetTriangle2), ("triangular", LearningRateSchedule.Triangular), ("cosine", LearningRateSchedule.Cosine), ("constant", LearningRateSchedule.Constant)), nameof(TrainOptions.Schedule)),
        Train("warm_up", new NumberType(0, 1), nameof(TrainOptions.WarmUp)),
        Train("batch_size", new WholeType(1, Many), nameof(TrainOptions.BatchSize)),
        Train("batch_ramp", new NumberType(0, 1), nameof(TrainOptions.BatchRamp)),
        Train("mlm_probability", new NumberType(0, 1, MinOpen: true, MaxOpen: true), nameof(TrainOptions.MlmProbability)),
        Train("non_finite", Words(("stop", NonFinitePolicy.Stop), ("skip", NonFinitePolicy.Skip)), nameof(TrainOptions.NonFinite)),
        Train("checkpoint_every", new WholeType(0), nameof(TrainOptions.CheckpointEvery)),
        Train("export_every", new WholeType(0), nameof(TrainOptions.ExportEvery)),
        Train("evaluate_every", new WholeType(0), nameof(TrainOptions.EvaluateEvery)),
        Train("evaluate_blocks", new WholeType(1), nameof(TrainOptions.EvaluateBlocks)),
        Range("penalty", new NumberType(0), nameof(RangeTraining.Penalty)),
        Range("steps", new WholeType(1), nameof(RangeTraining.Steps)),
        Range("relu", new NumberType(0, MinOpen: true), nameof(RangeTraining.Relu)),
        Range("norm", new NumberType(0, MinOpen: true), nameof(RangeTraining.NormBound)),
        Range("kernel", new NumberType(0, MinOpen: true), nameof(RangeTraining.Kernel)),
        Range("calibrate_every", new WholeType(0), nameof(RangeTraining.CalibrateEvery)),

        Data("source", Words(("sample", DataSourceKind.Sample), ("text", DataSourceKind.Text), ("jsonl", DataSourceKind.Jsonl), ("parquet", DataSourceKind.Parquet)), nameof(DataOptions.Source)),
        Data("path", new TextType(), nameof(DataOptions.Path)),
        Data("valid_path", new TextType(), nameof(DataOptions.ValidPath)),
        Data("held_out_fraction", new NumberType(0, 0.9, MinOpen: true), nameof(DataOptions.HeldOutFraction)),
        Data("layout", Words(("lines", DocumentLayout.Lines), ("blank-lines", DocumentLayout.BlankLines)), nameof(DataOptions.Layout)),
        Data("classify_first", new SwitchType(), nameof(DataOptions.ClassifyFirst)),
        Data("json_field", new TextType("text, not empty", false), nameof(DataOptions.JsonField)),
        Data("tokenizer", new TextType(), nameof(DataOptions.Tokenizer)),
        Data("cache", new TextType("text, not empty", false), nameof(DataOptions.Cache)),
        Data("sample_megabytes", new NumberType(0, 100_000, MinOpen: true), nameof(DataOptions.SampleMegabytes)),
        Data("sample_seed", new SeedType(), nameof(DataOptions.SampleSeed)),
        Data("workers", new WholeType(0, 1024), nameof(DataOptions.Workers)),

        Pipeline("stages", new WholeType(1, 1024), nameof(PipelineOptions.Stages)),
        Pipeline("schedule", Words(("gpipe", ScheduleKind.GPipe), ("1f1b", ScheduleKind.OneForwardOneBackward), ("interleaved", ScheduleKind.Interleaved)), nameof(PipelineOptions.Schedule)),
        Pipeline("chunks", new WholeType(1, 1024), nameof(PipelineOptions.Chunks)),
        Pipeline("partition", Words(("count", PartitionKind.Count), ("cost", PartitionKind.Cost)), nameof(PipelineOptions.Partition)),
        Pipeline("cut", new WholeListType(), nameof(PipelineOptions.Cut)),

        Eval("tasks", TextListType.Of("GLUE tasks", [.. GlueTasks.All.Select(task => task.Name)]), nameof(FineTuneOptions.Tasks)),
        Eval("path", new TextType(), nameof(FineTuneOptions.Path)),
        Eval("checkpoint", new TextType("text, not empty", false), nameof(FineTuneOptions.Checkpoint)),
        Eval("tokenizer", new TextType(), nameof(FineTuneOptions.Tokenizer)),
        Eval("label", new TextType("letters, digits, '.', '_', '-'; starts with a letter or digit; at most 100; or empty", true, @"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z"), nameof(FineTuneOptions.Label)),
        Eval("attention", Words(("checkpoint", AttentionChoice.Checkpoint), ("softmax", AttentionChoice.Softmax), ("gaussian-kernel", AttentionChoice.GaussianKernel)), nameof(FineTuneOptions.Attention)),
        Eval("method", Words(("full", FineTuneMethod.Full), ("lora", FineTuneMethod.Lora)), nameof(FineTuneOptions.Method)),
        Eval("lora.rank", new WholeType(1, 1024), nameof(FineTuneOptions.LoraRank)),
        Eval("lora.alpha", new NumberType(0, MinOpen: true), nameof(FineTuneOptions.LoraAlpha)),
        Eval("lora.dropout", new NumberType(0, 1, MaxOpen: true), nameof(FineTuneOptions.LoraDropout)),
        Eval("lora.targets", TextListType.Of("projections", ["q", "k", "v"]), nameof(FineTuneOptions.LoraTargets)),
        Eval("pooler_rank", new WholeType(1, 65536), nameof(FineTuneOptions.PoolerRank)),
        Eval("pooler_width", new WholeType(1, 65536), nameof(FineTuneOptions.PoolerWidth)),
        Eval("epochs", new NumberType(0, MinOpen: true), nameof(FineTuneOptions.Epochs)),
        Eval("batch_size", new WholeType(1, Many), nameof(FineTuneOptions.BatchSize)),
        EvalOptim("lr", new NumberType(0, 10), nameof(AdamWOptions.LearningRate)),
        EvalOptim("beta1", new NumberType(0, 1, MaxOpen: true), nameof(AdamWOptions.Beta1)),
        EvalOptim("beta2", new NumberType(0, 1, MaxOpen: true), nameof(AdamWOptions.Beta2)),
        EvalOptim("eps", new NumberType(0, 10, MinOpen: true), nameof(AdamWOptions.Eps)),
        EvalOptim("eps_inside_root", new SwitchType(), nameof(AdamWOptions.EpsInsideRoot)),
        EvalOptim("weight_decay", new NumberType(0, 10), nameof(AdamWOptions.WeightDecay)),
        Eval("schedule", Words(("budget-triangle2", LearningRateSchedule.BudgetTriangle2), ("triangular", LearningRateSchedule.Triangular), ("cosine", LearningRateSchedule.Cosine), ("constant", LearningRateSchedule.Constant)), nameof(FineTuneOptions.Schedule)),
        Eval("warm_up", new NumberType(0, 1), nameof(FineTuneOptions.WarmUp)),
        Eval("clip", new NumberType(0), nameof(FineTuneOptions.Clip)),
        Eval("dropout", new NumberType(0, 1, MaxOpen: true), nameof(FineTuneOptions.Dropout)),
        Eval("shuffle", new SwitchType(), nameof(FineTuneOptions.Shuffle)),
        Eval("padding", Words(("full", PaddingKind.Full), ("longest", PaddingKind.Longest)), nameof(FineTuneOptions.Padding)),
        Eval("train_rows", new WholeType(0), nameof(FineTuneOptions.TrainRows)),
        Eval("repeats", new WholeType(1, 1000), nameof(FineTuneOptions.Repeats)),
        Eval("checkpoint_every", new WholeType(0), nameof(FineTuneOptions.CheckpointEvery)),
        Eval("evaluators", new WholeType(0, 1024), nameof(FineTuneOptions.Evaluators)),
        Eval("evaluation_batch", new WholeType(1, Many), nameof(FineTuneOptions.EvaluationBatch)),
        Eval("save", Words(("merged", AdapterSaving.Merged), ("separate", AdapterSaving.Separate)), nameof(FineTuneOptions.Save)),
        Eval("functions", Words(("exact", FunctionKind.Exact), ("polynomial", FunctionKind.Polynomial)), nameof(FineTuneOptions.Functions)),
        Eval("calibration", new TextType(), nameof(FineTuneOptions.Calibration)),
        Eval("calibrate_every", new WholeType(0), nameof(FineTuneOptions.CalibrateEvery)),

        He("set", new NameType([.. ParameterSets.All.Select(set => set.Name)]), nameof(HeOptions.Set)),
        He("refresh", Words(("owner", RefreshKind.Owner), ("bootstrap", RefreshKind.Bootstrap), ("mixed", RefreshKind.Mixed)), nameof(HeOptions.Refresh)),
        He("twice", Words(("none", SecondIteration.None), ("state", SecondIteration.State), ("all", SecondIteration.All)), nameof(HeOptions.Twice)),
        He("tokens", new WholeType(0, 32768), nameof(HeOptions.Tokens)),
        He("batch", new WholeType(0, 32768), nameof(HeOptions.Batch)),
        He("keys", new TextType(), nameof(HeOptions.Keys)),
        He("data", new TextType(), nameof(HeOptions.Data)),
        He("cache", new WholeType(0), nameof(HeOptions.Cache)),
        He("key_memory", new WholeType(0), nameof(HeOptions.KeyMemory)),
        He("threads", new WholeType(0, 1024), nameof(HeOptions.Threads)),
        He("owner", new TextType("host:port; or empty", true, @"\A[A-Za-z0-9._:\[\]-]+:[0-9]{1,5}\z"), nameof(HeOptions.Owner)),
        He("helpers", TextListType.Addresses, nameof(HeOptions.Helpers)),
        He("allow_insecure", new SwitchType(), nameof(HeOptions.AllowInsecure)),

        Impl("device", Words(("auto", DeviceKind.Auto), ("cpu", DeviceKind.Cpu), ("cuda", DeviceKind.Cuda)), nameof(ImplOptions.Device)),
        Impl("precision", Words(("float32", Precision.Float32), ("bfloat16", Precision.BFloat16), ("auto", Precision.Auto)), nameof(ImplOptions.Precision)),
        Impl("microbatch_size", new WholeType(1, Many), nameof(ImplOptions.MicroBatchSize)),
        Impl("threads", new WholeType(1, 1024), nameof(ImplOptions.Threads)),
        Impl("recompute", new SwitchType(), nameof(ImplOptions.Recompute)),
        Impl("serialize_messages", new SwitchType(), nameof(ImplOptions.SerializeMessages)),
        Impl("digest_every", new WholeType(0), nameof(ImplOptions.DigestEvery)),
        Impl("stall_timeout", new NumberType(0, MinOpen: true), nameof(ImplOptions.StallTimeout)),
        Impl("max_retries", new WholeType(0), nameof(ImplOptions.MaxRetries)),
        Impl("trace_steps", new WholeType(0), nameof(ImplOptions.TraceSteps)),
        Impl("keep_checkpoints", new WholeType(1), nameof(ImplOptions.KeepCheckpoints)),

        Cluster("seeds", TextListType.Addresses, nameof(ClusterOptions.Seeds)),
        Cluster("node", new TextType("letters, digits, '.', '_', '-'; starts with a letter or digit; at most 100; or empty", true, @"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z"), nameof(ClusterOptions.Node)),
        Cluster("address", new TextType("host name or IP address", false, @"\A[A-Za-z0-9._:-]+\z"), nameof(ClusterOptions.Address)),
        Cluster("port", new WholeType(0, 65535), nameof(ClusterOptions.Port)),
        Cluster("data_port", new WholeType(0, 65535), nameof(ClusterOptions.DataPort)),
        Cluster("metrics_port", new WholeType(0, 65535), nameof(ClusterOptions.MetricsPort)),
        Cluster("folder", new TextType("text, not empty", false), nameof(ClusterOptions.Folder)),
        Cluster("journal", Words(("sqlite", JournalKind.Sqlite), ("postgres", JournalKind.Postgres)), nameof(ClusterOptions.Journal)),
        Cluster("journal_connection", new TextType(), nameof(ClusterOptions.JournalConnection)) with { Secret = true },
        Cluster("shared_store", new TextType(), nameof(ClusterOptions.SharedStore)),
        Cluster("copies", new WholeType(1, 16), nameof(ClusterOptions.Copies)),
        Cluster("stages", new WholeType(0, 1024), nameof(ClusterOptions.Stages)),
        Cluster("spares", new WholeType(0, 1024), nameof(ClusterOptions.Spares)),
        Cluster("wait_for_node", new NumberType(0, 86_400), nameof(ClusterOptions.WaitForNode)),
        Cluster("cores", new WholeType(0, 1024), nameof(ClusterOptions.Cores)),
        Cluster("memory", new WholeType(0), nameof(ClusterOptions.Memory)),
        Cluster("lease", new NumberType(0.1, 3600), nameof(ClusterOptions.Lease)),
        Cluster("link_patience", new NumberType(0, 3600), nameof(ClusterOptions.LinkPatience)),
        Cluster("max_payload", new WholeType(1, 2047), nameof(ClusterOptions.MaxPayload)),
        Cluster("tls", new SwitchType(), nameof(ClusterOptions.Tls)),
        Cluster("certificate", new TextType(), nameof(ClusterOptions.Certificate)),
        Cluster("authority", new TextType(), nameof(ClusterOptions.Authority)),
        Cluster("secret_file", new TextType(), nameof(ClusterOptions.SecretFile)),
        Cluster("insecure", new SwitchType(), nameof(ClusterOptions.Insecure)),
    ];

    /// <summary>Sections of the keys, which are also the groups of files.</summary>
    public static IReadOnlyList<string> Groups { get; } = [.. Keys.Select(key => key.Section).Where(section => section.Length > 0).Distinct()];

    /// <summary>The key of that full name, or null.</summary>
    public static ConfigKey? Find(string name) => Keys.FirstOrDefault(key => key.Name == name);

    private static ChoiceType Words(params (string, Enum)[] choices) => new(choices);

    private static ConfigKey Run(string name, KeyType type, string property) => new(name, type, [new(typeof(RunConfiguration), property)]);

    private static ConfigKey Arch(string name, KeyType type, string property) => new("arch." + name, type, [new(typeof(BertConfig), property)]);

    private static ConfigKey Optim(string name, KeyType type, string property) => new("train.optim." + name, type, [new(typeof(AdamWOptions), property)]);

    private static ConfigKey Train(string name, KeyType type, string property) => new("train." + name, type, [new(typeof(TrainOptions), property)]);

    private static ConfigKey Range(string name, KeyType type, string property) => new("train.range." + name, type, [new(typeof(RangeTraining), property)]);

    private static ConfigKey Data(string name, KeyType type, string property) => new("data." + name, type, [new(typeof(DataOptions), property)]);

    private static ConfigKey Pipeline(string name, KeyType type, string property) => new("pipeline." + name, type, [new(typeof(PipelineOptions), property)]);

    private static ConfigKey Eval(string name, KeyType type, string property) => new("eval." + name, type, [new(typeof(FineTuneOptions), property)]);

    private static ConfigKey EvalOptim(string name, KeyType type, string property) => new("eval.optim." + name, type, [new(typeof(AdamWOptions), property)]);

    private static ConfigKey He(string name, KeyType type, string property) => new("he." + name, type, [new(typeof(HeOptions), property)]);

    private static ConfigKey Impl(string name, KeyType type, string property) => new("impl." + name, type, [new(typeof(ImplOptions), property)]);

    private static ConfigKey Cluster(string name, KeyType type, string property) => new("cluster." + name, type, [new(typeof(ClusterOptions), property)]);
}
