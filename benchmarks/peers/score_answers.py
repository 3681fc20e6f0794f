#!/usr/bin/env python3
"""Runs `peft bench sft` and adds the BLEU of its greedy answers to the line of JSON it prints.

    python3 score_answers.py E2E_DIR COMMAND...

BLEU is sacrebleu's, of the answers to the first 100 test inputs against all references of each, as for the peer.
"""
import csv, json, os, subprocess, sys, tempfile

import sacrebleu

data, command = sys.argv[1], sys.argv[2:]
references = {}
with open(os.path.join(data, "testset_w_refs.csv"), encoding="utf8") as file:
    for row in csv.DictReader(file):
        references.setdefault(row["mr"], []).append(row["ref"])

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "answers.txt")
    done = subprocess.run(command + ["--answers", path], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(done.returncode)
    with open(path, encoding="utf8") as file:
        answers = [line.strip() for line in file.read().split("\n")[:-1]]

some = list(references.values())[:len(answers)]
width = max(len(texts) for texts in some)
columns = [[texts[i] if i < len(texts) else None for texts in some] for i in range(width)]
line = json.loads(done.stdout.strip().split("\n")[-1])
line["bleu"] = round(sacrebleu.corpus_bleu(answers, columns).score, 2)
print(json.dumps(line))
