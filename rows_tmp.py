import sys, pickle, fnmatch
from tests.corpus.mutants import MUTANTS
from tests.tools.prove import prove
if __name__=="__main__":
    ids=sys.argv[2:]
    chosen=[m for m in MUTANTS if not ids or any(fnmatch.fnmatchcase(m.id,i) or m.part==i for i in ids)]
    rows=prove(chosen)
    pickle.dump([(r.mutant.id,r.mutant.part,r.lost,r.points,r.elsewhere,r.diagnoses,r.text) for r in rows],open(sys.argv[1],"wb"))
