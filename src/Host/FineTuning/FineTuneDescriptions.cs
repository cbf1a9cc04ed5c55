using ActorTrainer.Host.Cli;

namespace ActorTrainer.Host.FineTuning;

/// <summary>Names, words and help of fine-tuning, evaluation and export.</summary>
internal static class FineTuneDescriptions
{
    private static readonly string[] Read = ["name", "base_dir", "seed", "arch", "eval", "pipeline", "impl", "data.cache"];

    /// <summary><c>finetune</c>: tasks of GLUE.</summary>
    public static CommandDescription FineTune { get; } = new()
    {
        Name = "finetune",
        Summary = "fine-tune a pre-trained model on GLUE, in full or with LoRA, and score it",
        Paragraphs =
        [
            """
            Takes a checkpoint of run NAME (or any model folder or file), trains it on each task through the same
            pipeline, scores every checkpoint on the labelled splits by evaluation actors while training goes
            on, and saves model, scores and pictures under NAME/finetune/LABEL/TASK-REPEAT.
            """,
            """
            The same command again continues what was interrupted or killed, and leaves complete runs alone.
            eval.path names a folder with GLUE's files; without it the tasks are a generated sample.
            """,
            """
            With cluster=… a cluster trains, one run after another; its coordinator's node reads the model and the
            files, under the same paths.
            """,
        ],
        Examples =
        [
            new("finetune eval=GLUE_sane name=X eval.checkpoint=latest impl.microbatch_size=16", "all six tasks as published"),
            new("finetune eval=GLUE_lora name=X eval.tasks=[rte] eval.path=glue", "adapters of rank 2 on one task"),
            new("finetune eval=small-models name=X eval.tasks=[sst2] eval.path=glue eval.repeats=5", "median and best of five runs"),
            new("finetune eval=GLUE_lora name=X eval.tasks=[sst2] cluster=local", "on the cluster of this machine"),
        ],
        Accepts = [.. Read, "cluster"],
        ReadsModel = true,
        Keys =
        [
            "name", "eval.tasks", "eval.path", "eval.checkpoint", "eval.method", "eval.epochs", "eval.batch_size", "eval.optim.lr",
            "eval.repeats", "eval.calibrate_every", "eval.functions", "impl.microbatch_size", "pipeline.stages",
        ],
    };

    /// <summary><c>evaluate</c>: scores of a fine-tuned model.</summary>
    public static CommandDescription Evaluate { get; } = new()
    {
        Name = "evaluate",
        Summary = "score fine-tuned models on GLUE's labelled splits, or predict its test sets",
        Paragraphs =
        [
            """
            Takes the models that `finetune` saved under NAME/finetune/LABEL, or one model folder
            (model=FOLDER), or adapters over a base (adapter=FILE), and scores them with eval.evaluators evaluation actors. With eval.functions=polynomial
            every function that is no polynomial is replaced by its calibrated one, as under encryption.
            """,
        ],
        Options =
        [
            new("model", "a fine-tuned model's folder instead of those of run NAME", "FOLDER"),
            new("adapter", "a fine-tuned model's adapter.safetensors, over the checkpoint that eval.checkpoint names", "FILE"),
            new("--predict", "also write predictions of the test sets in GLUE's submission layout"),
        ],
        Examples =
        [
            new("evaluate name=X eval.path=glue eval.tasks=[sst2]", "what finetune saved last for SST-2"),
            new("evaluate name=X eval.path=glue eval.tasks=[sst2] eval.functions=polynomial", "the same by polynomials"),
            new("evaluate name=X eval.path=glue --predict", "predictions for a submission too"),
        ],
        Accepts = Read,
        ReadsModel = true,
        Keys = ["name", "eval.tasks", "eval.path", "eval.label", "eval.method", "eval.evaluators", "eval.evaluation_batch", "eval.functions", "eval.calibration"],
    };

    /// <summary><c>export</c>: the fine-tuning data, embedded.</summary>
    public static CommandDescription Export { get; } = new()
    {
        Name = "export",
        Summary = "save a task's examples, embedded and padded, for encryption",
        Paragraphs =
        [
            """
            Writes for each split of each task the embedded inputs [rows, sequence, hidden], padding masks, labels
            and ids to NAME/export/TASK/SPLIT: safetensors files with checksums and a manifest (docs/export.md).
            The inputs are those that plaintext fine-tuning computes with. An interrupted export goes on.
            """,
        ],
        Options = [new("out", "folder for the export; NAME/export when left out", "FOLDER")],
        Examples = [new("export name=X eval.tasks=[rte] eval.path=glue", "RTE's train and dev for encryption")],
        Accepts = Read,
        ReadsModel = true,
        Keys = ["name", "eval.tasks", "eval.path", "eval.checkpoint", "eval.train_rows"],
    };
}
